import type { AlertSubject } from '../../../contract/alert-kinds.js';
import { numberText } from './figures.js';
import type { Texts } from './texts.js';

/** Chinese and Latin text are set apart by a space, as people write it. */
const join = (before: string, after: string): string =>
  /[\w.:/)-]$/.test(before) ? `${before} ${after}` : before + after;

/** A length of time behind a word: one that begins with a number is set apart. */
const lasting = (duration: string): string => (/^\d/.test(duration) ? ` ${duration}` : duration);

const scopeText = (scope: string): string => {
  const at = scope.indexOf(':');
  const [kind, value] = at === -1 ? [scope, ''] : [scope.slice(0, at), scope.slice(at + 1)];
  if (kind === 'all') return '全部模型';
  if (kind === 'alias') return `模型 ${value}`;
  if (kind === 'provider') return `供应商 ${value} 的模型`;
  if (kind === 'tag') return `标签 ${value} 的模型`;
  return kind === 'token' ? `令牌 ${value}` : scope;
};

const SUBJECTS: Record<AlertSubject, (subject: string) => string> = {
  model: (alias) => `模型 ${alias}`,
  scope: scopeText,
  instance: (instance) => `实例 ${instance}`,
  hub: () => '',
};

const SEVERAL: Record<AlertSubject, string> = { model: '个模型', scope: '个范围', instance: '个实例', hub: '个系统' };

export const CHINESE: Texts = {
  tag: { critical: '【严重】', warning: '【警告】', info: '【提示】', resolved: '【恢复】' },
  kinds: {
    error_rate: {
      wrong: '调用失败率过高',
      figure: '失败率',
      advice: '查看该模型最近的错误和供应商状态；可配置备用模型，或先停用该模型。',
    },
    latency_p95: {
      wrong: '响应过慢',
      figure: 'P95 耗时',
      advice: '看同一供应商的其他模型是否也变慢；可配置备用模型，或调低 request_timeout。',
    },
    first_token_p95: {
      wrong: '首 token 过慢',
      figure: 'P95 首 token 耗时',
      advice: '确认供应商是否繁忙、输入是否过长；可配置备用模型。',
    },
    no_calls: {
      wrong: '调用量过低',
      figure: '调用量',
      advice: '确认调用方是否正常运行、令牌是否失效、网络是否通畅。',
    },
    rate_limited: {
      wrong: '被供应商限流',
      figure: '限流占比',
      advice: '把 rate_limit_per_minute 调到供应商限额以下，配置备用模型，或向供应商申请提额。',
    },
    spend: {
      wrong: '花费超过阈值',
      figure: '花费',
      advice: '在统计页查看花费来自哪些模型和令牌；需要硬性上限时请设置预算。',
    },
    bad_credential: {
      wrong: '密钥被供应商拒绝',
      figure: null,
      advice: '为该模型录入有效的密钥，然后测试连接。',
    },
    failing_test: {
      wrong: '连接测试失败',
      figure: null,
      advice: '查看最近一次测试的错误，检查密钥、地址和模型名称。',
    },
    undecryptable_secret: {
      wrong: '已保存的密钥无法解密',
      figure: null,
      advice: '把原来的主密钥加回 ENCRYPTION_KEYS，或重新录入该模型的密钥。',
    },
    stale_instance: {
      wrong: '仍在使用旧配置',
      figure: '落后时间',
      advice: '检查该实例到存储服务的网络；恢复之前，它会继续按旧配置响应调用。',
    },
    storage_degraded: {
      wrong: '告警评估曾中断',
      figure: '中断时长',
      advice: '查看 PostgreSQL 和存储服务的日志；中断期间的告警已补算，最多补算 6 小时。',
    },
  },
  reasons: {
    recovered: '已恢复正常',
    no_data: '调用太少，无法继续判断',
    rule_off: '规则已停用、修改或删除',
  },
  labels: {
    subject: '对象',
    threshold: '阈值',
    since: '开始时间',
    resolved: '结束时间',
    reason: '结束原因',
    advice: '处理建议',
    rule: '规则',
    description: '说明',
    scope: '范围',
    period: '周期',
    spent: '已花费',
    effect: '影响',
    time: '时间',
  },
  link: '查看详情',
  subject: (kind, subject) => SUBJECTS[kind](subject),
  several: (kind, count) => `${numberText(count, 0)} ${SEVERAL[kind]}`,
  wrong: (subject, wrong, figures) => `${join(subject, wrong)}${figures === null ? '' : `（${figures}）`}`,
  still: (wrong) => `仍未恢复：${wrong}`,
  over: (wrong, reason) => `${wrong}（${reason}）`,
  figures: (value, threshold) =>
    [value, ...(threshold === null ? [] : [`阈值 ${threshold}`])].filter((text) => text !== null).join('，') || null,
  measured: (figures, window, calls) => {
    const made = [window, calls].filter((text) => text !== null).join('共 ');
    return made === '' ? figures : `${figures}，${made}`;
  },
  lastMinutes: (duration) => `最近 ${duration}`,
  calls: (count) => `${numberText(count, 0)} 次调用`,
  since: (time, duration) => `${time}，已持续${lasting(duration)}`,
  ended: (time, duration) => `${time}，共持续${lasting(duration)}`,
  one: (subject, measured, time, duration) =>
    `${subject}：${measured === null ? '' : `${measured}，`}自 ${time} 起已持续${lasting(duration)}`,
  oneOver: (subject, duration, reason) => `${subject}：持续${lasting(duration)}，${reason}`,
  more: (count) => `另有 ${numberText(count, 0)} 项未列出`,
  budget: {
    title: (name, percent, refuses) =>
      refuses ? `预算 ${name} 已用尽（${percent}），新的调用将被拒绝` : `预算 ${name} 已使用 ${percent}`,
    period: (period, from, to) => `${period === 'day' ? '每日' : '每月'}，${from} 至 ${to}`,
    spent: (spent, limit, percent, threshold) => `${spent}，上限 ${limit}，已使用 ${percent}（提醒档位 ${threshold}）`,
    refuses: (until) => `此范围内新的调用返回 429 budget_exceeded，直到 ${until}；提高上限可立即恢复`,
    notifies: '仅提醒，调用不受影响',
  },
  test: { title: '测试消息', label: '结果', result: '通知渠道工作正常' },
};
