import type { AlertNotice } from '../../src/contract/alert-notice.js';
import { bucketOf } from '../../src/contract/histogram.js';
import type { CallOutcome, UsageRecord } from '../../src/contract/usage.contract.js';
import { aUsageRecord } from '../factories/usage-record.js';
import { addChannel, addRule, addSilence, inShort, noticesOf } from './alert-evaluation.js';
import { saveModel, type Json } from './calls.js';
import { CONFIGS, type TestHub } from './hub.js';
import { DAY, MINUTE, postUsage } from './statistics.js';

/** Yesterday, in UTC; minutes are counted from its beginning. */
const START = Math.floor(Date.now() / DAY) * DAY - DAY;
export const at = (minute: number): Date => new Date(START + minute * MINUTE);
const MINUTES = DAY / MINUTE;
const HOUR = 60;

/** Usage is complete a little after the end of a minute. */
const SETTLED_MILLISECONDS = 15_000;

/** Minutes in which nobody evaluated: the first of them is the one that ends here. */
const GAP = { from: 1201, to: 1210 };

/** Calls of a minute. */
interface Calls {
  calls: number;
  outcome?: CallOutcome;
  milliseconds?: number;
  source?: UsageRecord['source'];
}

interface ScriptedModel {
  from: number;
  to: number;
  tags?: Record<string, string>;
  /** US dollars a call costs. */
  price?: number;
  minute: (minute: number) => Calls[];
}

const isWithin = (minute: number, from: number, to: number): boolean => minute >= from && minute < to;
/** Twenty calls a minute that go well, and fail for so many minutes. */
const down = (from: number, minutes: number, outcome: CallOutcome = 'server'): ScriptedModel => ({
  from: from - 20,
  to: from + minutes + 30,
  minute: (minute) => [{ calls: 20, outcome: isWithin(minute, from, from + minutes) ? outcome : 'ok' }],
});
const slow = (from: number, minutes: number, milliseconds: number): ScriptedModel => ({
  from: from - 20,
  to: from + minutes + 30,
  minute: (minute) => [{ calls: 30, milliseconds: isWithin(minute, from, from + minutes) ? milliseconds : 100 }],
});

const MODELS: Record<string, ScriptedModel> = {
  steady: { from: 0, to: MINUTES, minute: () => [{ calls: 20 }] },
  /** Too few calls to tell, all of them bad. */
  rare: { from: 0, to: MINUTES, minute: () => [{ calls: 1, outcome: 'server' }] },
  /** A cent a minute. */
  costly: { from: 0, to: MINUTES, tags: { budget: 'cheap' }, price: 0.01, minute: () => [{ calls: 1 }] },
  /** Nobody calls it at night. */
  daily: { from: 360, to: 1320, minute: () => [{ calls: 1 }] },
  tested: {
    from: 200,
    to: 231,
    minute: (minute) => [
      ...(minute === 200 ? [{ calls: 1, outcome: 'timeout', source: 'test' } as const] : []),
      ...(minute === 230 ? [{ calls: 1, source: 'test' } as const] : []),
    ],
  },
  /** Three bad minutes, five good ones, for two hours. */
  flapping: {
    from: 280,
    to: 460,
    minute: (minute) => [
      { calls: 20, outcome: isWithin(minute, 300, 420) && (minute - 300) % 8 < 3 ? 'network' : 'ok' },
    ],
  },
  /** What its callers did wrong is not its fault. */
  misused: {
    from: 500,
    to: 560,
    minute: () => [{ calls: 15, outcome: 'bad_request' }, { calls: 5, outcome: 'client_gone' }, { calls: 5 }],
  },
  outage: down(600, 12),
  slow: slow(720, 60, 90_000),
  busy: {
    from: 820,
    to: 880,
    minute: (minute) => [{ calls: 10 }, { calls: 10, outcome: isWithin(minute, 840, 845) ? 'rate_limit' : 'ok' }],
  },
  'twin-a': down(900, 6, 'overloaded'),
  'twin-b': down(900, 6, 'overloaded'),
  /** Silenced until it is over. */
  muted: down(960, 12),
  /** Silenced for its first minutes. */
  hushed: down(1000, 50),
  /** Its rule is switched off meanwhile. */
  switched: slow(1080, 60, 5000),
  /** Goes down while nobody evaluates. */
  gapped: down(1203, 12),
};

const RULES: Json[] = [
  { name: 'spend-cheap', kind: 'spend', scope: 'tag', scope_value: 'budget:cheap', threshold: 10 },
  { name: 'night', kind: 'no_calls', scope: 'alias', scope_value: 'daily' },
  { name: 'own-latency', kind: 'latency_p95', scope: 'alias', scope_value: 'switched', threshold: 1000 },
  { name: 'nonsense', kind: 'weather' },
];

/** What people have to hear of the day, nothing more and nothing less: the minute at whose end they do, and what. */
export const EXPECTED: readonly string[] = [
  '1 night firing: alias:daily',
  '61 stale-instance firing: far-away 00000000',
  '62 stale-instance resolved: far-away 00000000',
  '201 failing-test firing: tested',
  '231 failing-test resolved: tested',
  '303 error-rate firing: flapping',
  '361 night resolved: alias:daily',
  '424 error-rate resolved: flapping',
  '481 bad-credential firing: keyed',
  '501 bad-credential resolved: keyed',
  '603 error-rate firing: outage',
  '621 error-rate resolved: outage',
  '723 slow-answers firing: slow',
  '753 slow-answers reminder: slow',
  '783 slow-answers reminder: slow',
  '794 slow-answers resolved: slow',
  '844 rate-limited firing: busy',
  '853 rate-limited resolved: busy',
  '903 error-rate firing: twin-a, twin-b',
  '915 error-rate resolved: twin-a, twin-b',
  '1000 spend-cheap firing: tag:budget:cheap',
  '1020 error-rate firing: hushed',
  '1059 error-rate resolved: hushed',
  '1083 own-latency firing: switched',
  '1101 own-latency resolved: switched',
  '1123 own-latency firing: switched',
  '1154 own-latency resolved: switched',
  '1201 storage-degraded firing: hub',
  '1206 error-rate firing: gapped',
  '1209 storage-degraded resolved: hub',
  '1224 error-rate resolved: gapped',
  '1380 night firing: alias:daily',
];

const recordOf = (model: Json, minute: number, { price = 0 }: ScriptedModel, calls: Calls): UsageRecord => {
  const { outcome = 'ok', milliseconds = 100, source = 'api' } = calls;
  return aUsageRecord({
    config_id: model['id'] as string,
    config_version: model['version'] as number,
    alias: model['alias'] as string,
    minute: at(minute).getTime(),
    last_at: at(minute).getTime(),
    calls: calls.calls,
    outcome,
    source,
    input_tokens: calls.calls,
    cached_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
    input_price_per_million: price * 1e6,
    output_price_per_million: 0,
    total_ms: calls.calls * milliseconds,
    latency: [bucketOf(milliseconds), calls.calls],
    first_byte_calls: 0,
    first_byte_ms: 0,
    first_byte: [],
  });
};

/** One day with what goes wrong in it, to be lived through as often as one likes. */
export class AlertDay {
  private readonly models = new Map<string, Json>();
  private hoursSent = 0;

  private constructor(private readonly hub: TestHub) {}

  static async begin(hub: TestHub): Promise<AlertDay> {
    const day = new AlertDay(hub);
    for (const alias of [...Object.keys(MODELS), 'keyed']) {
      day.models.set(alias, await saveModel(hub, { alias, tags: MODELS[alias]?.tags ?? {} }));
    }
    await hub.database.query(`UPDATE alert_rules SET reminder_minutes = 30 WHERE name = 'slow-answers'`);
    for (const rule of RULES) await addRule(hub.database, rule);
    await addSilence(hub.database, { subject: 'mut*', starts_at: at(955), ends_at: at(990) });
    await addSilence(hub.database, {
      rule_name: 'error-rate',
      subject: 'hushed',
      starts_at: at(990),
      ends_at: at(1020),
    });
    await addChannel(hub.database);
    return day;
  }

  /** All its calls were made, and nobody has evaluated or was told anything. */
  async begunAnew(): Promise<void> {
    while (this.hoursSent * HOUR < MINUTES) await this.sendUsageUntil(this.hoursSent * HOUR + 1);
    for (const table of ['alerts', 'alert_notifications', 'ai_model_instances']) {
      await this.hub.database.query(`DELETE FROM ${table}`);
    }
    await this.hub.database.query('UPDATE alert_evaluation SET evaluated_to = NULL');
  }

  /** @param evaluate evaluates everything up to that time */
  async live(evaluate: (now: Date, minute: number) => Promise<void>): Promise<void> {
    for (let minute = 1; minute <= MINUTES; minute += 1) {
      await this.sendUsageUntil(minute);
      await this.happen(minute);
      if (isWithin(minute, GAP.from, GAP.to + 1)) continue;
      await evaluate(new Date(at(minute).getTime() + SETTLED_MILLISECONDS), minute);
    }
  }

  /** What people were told, as EXPECTED has it. */
  async told(): Promise<string[]> {
    const minuteOf = (notice: AlertNotice): number => (Date.parse(notice.at) - START) / MINUTE;
    return (await noticesOf(this.hub.database)).map((notice) => `${minuteOf(notice)} ${inShort(notice)}`);
  }

  /** The calls of an hour, when the first of its minutes has begun. */
  private async sendUsageUntil(minute: number): Promise<void> {
    if (minute <= this.hoursSent * HOUR) return;
    const from = this.hoursSent * HOUR;
    this.hoursSent += 1;
    const records: UsageRecord[] = [];
    for (const [alias, script] of Object.entries(MODELS)) {
      for (let at = Math.max(from, script.from); at < Math.min(from + HOUR, script.to); at += 1) {
        const model = this.models.get(alias) as Json;
        records.push(...script.minute(at).map((calls) => recordOf(model, at, script, calls)));
      }
    }
    await postUsage(this.hub, ...records);
  }

  /** What people do, and what is known for the present only. */
  private async happen(minute: number): Promise<void> {
    const switchRule = (isEnabled: boolean): Promise<unknown> =>
      this.hub.database.query(`UPDATE alert_rules SET is_enabled = $1 WHERE name = 'own-latency'`, [isEnabled]);
    if (minute === 61 || minute === 62) await this.reportInstance(minute);
    if (minute === 481) await this.refuseKey(minute - 1);
    if (minute === 501) await this.replaceKey();
    if (minute === 1101) await switchRule(false);
    if (minute === 1121) await switchRule(true);
  }

  private async reportInstance(minute: number): Promise<void> {
    await this.hub.database.query(
      `INSERT INTO ai_model_instances (id, role, version, host, started_at, seen_at, applied_revision, behind_since)
       VALUES ('00000000-0000-4000-8000-000000000000', 'ai-model', '1', 'far-away', $1, $2, 1, $3)
       ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, behind_since = excluded.behind_since`,
      [at(0), at(minute), minute === 61 ? at(58) : null],
    );
  }

  private async refuseKey(minute: number): Promise<void> {
    const model = await this.keyed();
    await postUsage(
      this.hub,
      recordOf(model, minute, MODELS['steady'] as ScriptedModel, { calls: 5, outcome: 'auth' }),
    );
  }

  private async replaceKey(): Promise<void> {
    const { id } = await this.keyed();
    const change = { api_key: `key-${crypto.randomUUID()}` };
    await this.hub
      .request('put', `${CONFIGS}/${String(id)}`)
      .send(change)
      .expect(200);
  }

  private async keyed(): Promise<Json> {
    const { id } = this.models.get('keyed') as Json;
    return (await this.hub.request('get', `${CONFIGS}/${String(id)}`).expect(200)).body as Json;
  }
}
