import type { EntityManager } from 'typeorm';
import type { AlertKind } from '../../../contract/alert-kinds.js';
import type { RuleScope } from './rule-scope.js';
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

/** What was read for the rules of a kind, by alias. */
interface Usage {
  windows: Windows;
  parts: ReadonlyMap<string, readonly UsagePart[]>;
}

const byAlias = (parts: readonly UsagePart[]): Map<string, UsagePart[]> => {
  const found = new Map<string, UsagePart[]>();
  for (const part of parts) {
    const others = found.get(part.alias);
    if (others) others.push(part);
    else found.set(part.alias, [part]);
  }
  return found;
};

/** Everything that the rules of a minute need, read once however many rules there are. */
export class Readings {
  private constructor(
    readonly minute: Minute,
    /** By alias. */
    readonly models: ReadonlyMap<string, WatchedModel>,
    readonly tests: ReadonlyMap<string, NewestTest>,
    readonly instances: readonly WatchedInstance[],
    private readonly usage: ReadonlyMap<AlertKind, Usage>,
  ) {}

  static async read(manager: EntityManager, rules: readonly WatchedRule[], minute: Minute): Promise<Readings> {
    const usage = new Map<AlertKind, Usage>();
    for (const need of Object.keys(USAGE_KINDS) as UsageNeed[]) {
      const windows = windowsOf(rules, USAGE_KINDS[need], minute);
      const parts = byAlias(windows.isEmpty ? [] : await READ_USAGE[need](manager, windows));
      for (const kind of USAGE_KINDS[need]) usage.set(kind, { windows, parts });
    }
    const { longest } = windowsOf(rules, ['failing_test'], minute);
    const from = new Date(minute.end.getTime() - longest * MINUTE);
    const tests = longest === 0 ? new Map<string, NewestTest>() : await readNewestTests(manager, from, minute.end);
    const watchesInstances = minute.isPresent && rules.some(({ kind }) => kind === 'stale_instance');
    const instances = watchesInstances ? await readInstances(manager, minute.now) : [];
    const models = new Map((await readModels(manager)).map((model) => [model.alias, model]));
    return new Readings(minute, models, tests, instances, usage);
  }

  /** What the window of a rule holds of what it looks at, by alias. */
  usageOf({ kind, windowMinutes }: WatchedRule, scope: RuleScope): [string, UsagePart[]][] {
    const usage = this.usage.get(kind);
    if (!usage) return [];
    const last = usage.windows.bandOf(windowMinutes ?? 0);
    const found: [string, UsagePart[]][] = [];
    for (const [alias, parts] of scope.onlyAlias(usage.parts)) {
      const counted = parts.filter((part) => part.band <= last && scope.hasCalls(part));
      if (counted.length > 0) found.push([alias, counted]);
    }
    return found;
  }
}

const windowsOf = (rules: readonly WatchedRule[], kinds: readonly AlertKind[], { end }: Minute): Windows =>
  new Windows(
    rules.filter(({ kind }) => kinds.includes(kind)).flatMap(({ windowMinutes }) => windowMinutes ?? []),
    end,
  );
