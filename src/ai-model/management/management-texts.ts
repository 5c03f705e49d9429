import type { ErrorCode } from '../../contract/error-codes.js';
import type { Texts } from '../../platform/http/accept-language.js';

export type ManagementMessage = 'added' | 'updated' | 'removed';

/** What the answers say. */
export const MESSAGES: Readonly<Record<ManagementMessage, Texts<(alias: string) => string>>> = {
  added: { 'zh-CN': (alias) => `模型 ${alias} 已添加。`, en: (alias) => `The model ${alias} was added.` },
  updated: { 'zh-CN': (alias) => `模型 ${alias} 已更新。`, en: (alias) => `The model ${alias} was changed.` },
  removed: { 'zh-CN': () => '模型已删除。', en: () => 'The model was removed.' },
};

/** What storage can answer to a change by this API. */
const EXPECTED = [
  'validation_failed',
  'alias_taken',
  'config_not_found',
  'conflict',
  'masked_api_key',
  'credential_required',
  'api_base_required',
  'api_base_not_allowed',
  'storage_unavailable',
  'scope_missing',
] as const satisfies readonly ErrorCode[];
type ExpectedCode = (typeof EXPECTED)[number];

/** Put before what storage says, which is in English. */
const REFUSALS: Readonly<Record<ExpectedCode, string>> = {
  validation_failed: '字段取值不正确',
  alias_taken: '别名已被占用',
  config_not_found: '模型不存在',
  conflict: '与另一项更改冲突，请重试',
  masked_api_key: '不能保存打码的密钥，请发送真实密钥或省略该字段',
  credential_required: '服务商或地址已更改，必须重新发送密钥',
  api_base_required: '该服务商没有默认地址，必须填写 api_base',
  api_base_not_allowed: '该地址不允许访问',
  storage_unavailable: '存储服务暂时不可用，请稍后重试',
  scope_missing: '令牌缺少所需权限',
};

const isExpected = (code: ErrorCode): code is ExpectedCode => (EXPECTED as readonly ErrorCode[]).includes(code);

/** A refusal in Chinese; storage's own words stay with it, since they name what was wrong. */
export const refusalInChinese = (code: ErrorCode, detail: string): string =>
  isExpected(code) ? `${REFUSALS[code]}：${detail}` : detail;
