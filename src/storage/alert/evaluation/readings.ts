import type { EntityManager } from 'typeorm';
import type { AlertKind } from '../../../contract/alert-kinds.js';
import { type NewestTest, readInstances, readModels, readNewestTests } from './states.js';
import type { WatchedInstance, WatchedModel } from './states.js';
import { readDurations, readOutcomes, readTotals, type UsagePart } from './usage-parts.js';
import type { WatchedRule } from './watched-rule.js';
import { Windows } from './windows.js';

const MINUTE = 60_000;

/** The minute that is evaluated. */
export interface Minute {
  end: Date;
  /** The newest complete minute is this one: states that are known for the present only are known. */
  isPresent: boolean;
  /** Minutes that are late with it, this one not counted. */
  backlog: number;
  now: Date;
}

/** Kinds that are read together, since they need the same of the usage. */
type UsageNeed = 'outcomes' | 'latency' | 'firstByte' | 'totals';
const USAGE_KINDS: Record<UsageNeed, readonly AlertKind[]> = {
  outcomes: ['error_rate', 'rate_limited'],
  latency: ['latency_p95'],
  firstByte: ['first_token_p95'],
  totals: ['no_calls', 'spend'],
};
const READ_USAGE: Record<UsageNeed, (manager: EntityManager, windows: Windows) => Promise<UsagePart[]>> = {
  outcomes: readOutcomes,
  latency: (manager, windows) => readDurations(manager, windows, 'latency'),
  firstByte: (manager, windows) => readDurations(manager, windows, 'first_byte'),
  totals: readTotals,
};

/** Everything that the rules of a minute need, read once however many rules there are. */
export class Readings {
  private constructor(
    readonly minute: Minute,
    readonly models: readonly WatchedModel[],
    readonly tests: ReadonlyMap<string, NewestTest>,
    readonly instances: readonly WatchedInstance[],
    private readonly usage: ReadonlyMap<AlertKind, { windows: Windows; parts: readonly UsagePart[] }>,
  ) {}

  static async read(manager: EntityManager, rules: readonly WatchedRule[], minute: Minute): Promise<Readings> {
    const usage = new Map<AlertKind, { windows: Windows; parts: readonly UsagePart[] }>();
    for (const need of Object.keys(USAGE_KINDS) as UsageNeed[]) {
      const windows = windowsOf(rules, USAGE_KINDS[need], minute);
      const parts = windows.isEmpty ? [] : await READ_USAGE[need](manager, windows);
      for (const kind of USAGE_KINDS[need]) usage.set(kind, { windows, parts });
    }
    const { longest } = windowsOf(rules, ['failing_test'], minute);
    const from = new Date(minute.end.getTime() - longest * MINUTE);
    const tests = longest === 0 ? new Map<string, NewestTest>() : await readNewestTests(manager, from, minute.end);
    const watchesInstances = minute.isPresent && rules.some(({ kind }) => kind === 'stale_instance');
    const instances = watchesInstances ? await readInstances(manager, minute.now) : [];
    return new Readings(minute, await readModels(manager), tests, instances, usage);
  }

  /** What the window of a rule holds. */
  usageOf({ kind, windowMinutes }: WatchedRule): UsagePart[] {
    const { windows, parts } = this.usage.get(kind) ?? { windows: null, parts: [] };
    const last = windows?.bandOf(windowMinutes ?? 0) ?? 0;
    return parts.filter(({ band }) => band <= last);
  }
}

const windowsOf = (rules: readonly WatchedRule[], kinds: readonly AlertKind[], { end }: Minute): Windows =>
  new Windows(
    rules.filter(({ kind }) => kinds.includes(kind)).flatMap(({ windowMinutes }) => windowMinutes ?? []),
    end,
  );
