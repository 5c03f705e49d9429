import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { ALERT_KIND_TRAITS, type Severity } from '../../../contract/alert-kinds.js';
import { AlertRuleEntity } from '../alert-rule.entity.js';
import type { LiveAlert } from './advance.js';
import { type AlertOfRule, OpenAlerts, writeAlerts } from './alert-rows.js';
import { figuresOf } from './figures.js';
import { type Change, judge, judgeOff } from './judge.js';
import type { NextMinute } from './next-minute.js';
import { Readings } from './readings.js';
import { RuleScope } from './rule-scope.js';
import { channelsTold, type Judged, readSilences, tell } from './tell.js';
import { watchedRule, type WatchedRule } from './watched-rule.js';

/** A rule that cannot be evaluated. */
export interface DamagedRule {
  id: string;
  name: string;
  reason: string;
}

/** Alerts of one rule that began to fire or are over. */
export interface Transition {
  state: 'firing' | 'resolved';
  rule: string;
  severity: Severity;
  subjects: string[];
}

/** What an evaluated minute came to, for the log. */
export interface MinuteReport {
  transitions: Transition[];
  damaged: DamagedRule[];
  /** Alerts that were not opened, since there are too many already. */
  dropped: number;
}

/** Evaluates one minute, in a transaction that is the caller's: all of it holds, or nothing. */
export class MinuteEvaluation {
  private readonly damaged: DamagedRule[] = [];

  constructor(
    private readonly manager: EntityManager,
    private readonly minute: NextMinute,
    private readonly now: Date,
  ) {}

  async run(): Promise<MinuteReport> {
    const { manager, minute } = this;
    const rows = await manager.find(AlertRuleEntity, { order: { name: 'ASC' } });
    const open = await OpenAlerts.read(manager);
    // Nothing is known of minutes that are never evaluated: what was pending begins anew.
    const forgotten = minute.skipped > 0 ? open.takePending() : [];
    const judged = [
      ...(await this.judgeWatched(this.readable(rows.filter(({ isEnabled }) => isEnabled)), open)),
      ...this.readable(rows.filter(({ isEnabled }) => !isEnabled)).map((rule) => this.judgeOff(rule, open)),
      ...(await this.judgeDeleted(rows, open)),
    ];
    const silences = await readSilences(manager, minute.end);
    for (const one of judged) await tell(manager, one, silences, minute.end);
    await writeAlerts(manager, rowsOf(judged, forgotten));
    return { transitions: judged.flatMap(transitionsOf), damaged: this.damaged, dropped: open.dropped };
  }

  private readable(rows: readonly AlertRuleEntity[]): WatchedRule[] {
    return rows.flatMap((row) => this.attempt(row, () => watchedRule(row)));
  }

  private async judgeWatched(rules: readonly WatchedRule[], open: OpenAlerts): Promise<Judged[]> {
    const readings = await Readings.read(this.manager, rules, { ...this.minute, now: this.now });
    const judged: Judged[] = [];
    for (const rule of rules) {
      judged.push(...this.attempt(rule, () => this.judgeOne(rule, readings, open)));
      // Percentiles of many models take a while: calls go on in between.
      await nextTurn();
    }
    return judged;
  }

  private judgeOne(rule: WatchedRule, readings: Readings, open: OpenAlerts): Judged {
    const scope = new RuleScope(rule, readings.models);
    const figures = figuresOf(rule, readings, scope);
    const changes = judge(rule, open.ofRule(rule.id), { figures, scope, minute: this.minute.end });
    return judgedOf(rule, open.withinBounds(changes).map(withId));
  }

  private judgeOff(rule: WatchedRule, open: OpenAlerts): Judged {
    return judgedOf(rule, judgeOff(open.ofRule(rule.id), this.minute.end));
  }

  /** What is left of a rule stands in its alerts. */
  private async judgeDeleted(rows: readonly AlertRuleEntity[], open: OpenAlerts): Promise<Judged[]> {
    const judged: Judged[] = [];
    for (const alerts of open.withoutRule(new Set(rows.map(({ id }) => id)))) {
      const [first] = alerts as [AlertOfRule];
      const channels = await channelsTold(this.manager, first.ruleId);
      judged.push(
        ...this.attempt({ id: first.ruleId, name: first.ruleName }, () => ({
          rule: ruleOf(first),
          channels,
          changes: judgeOff(alerts, this.minute.end),
        })),
      );
    }
    return judged;
  }

  /** One rule that makes no sense must not stop the others. */
  private attempt<Result>(rule: { id: string; name: string }, work: () => Result): Result[] {
    try {
      return [work()];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.damaged.push({ id: rule.id, name: rule.name, reason });
      return [];
    }
  }
}

const judgedOf = (rule: WatchedRule, changes: Change[]): Judged => ({
  rule: { ...rule, unit: rule.traits.unit },
  channels: rule.channels,
  changes,
});

const ruleOf = ({ ruleId, ruleName, kind, severity, threshold }: AlertOfRule): Judged['rule'] => ({
  id: ruleId,
  name: ruleName,
  description: null,
  kind,
  severity,
  scope: 'all',
  scopeValue: null,
  unit: ALERT_KIND_TRAITS[kind].unit,
  threshold,
  windowMinutes: null,
  language: null,
  reminderMinutes: 0,
});

const withId = (change: Change): Change => ({
  ...change,
  after: change.after && { ...change.after, id: change.after.id || randomUUID() },
});

const toRow = (alert: LiveAlert, { id, name, kind, severity, threshold }: Judged['rule']): AlertOfRule => ({
  ...alert,
  ruleId: id,
  ruleName: name,
  kind,
  severity,
  threshold,
});

/** What is to be written: only what is another one now. */
const rowsOf = (
  judged: readonly Judged[],
  forgotten: readonly string[],
): { changed: AlertOfRule[]; deleted: string[] } => ({
  changed: judged.flatMap(({ rule, changes }) =>
    changes.flatMap(({ before, after }) => (after && after !== before ? [toRow(after, rule)] : [])),
  ),
  deleted: [
    ...forgotten,
    ...judged.flatMap(({ changes }) => changes.flatMap(({ before, after }) => (before && !after ? [before.id] : []))),
  ],
});

const transitionsOf = ({ rule, changes }: Judged): Transition[] =>
  (['firing', 'resolved'] as const).flatMap((state) => {
    const entered = changes.filter(({ before, after }) => after?.state === state && before?.state !== state);
    const subjects = entered.flatMap(({ after }) => after?.subject ?? []);
    return subjects.length > 0 ? [{ state, rule: rule.name, severity: rule.severity, subjects }] : [];
  });
