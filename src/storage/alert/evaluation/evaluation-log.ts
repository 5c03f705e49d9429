import type { Logger } from '@nestjs/common';
import type { DamagedRule, MinuteReport, Transition } from './minute-evaluation.js';
import type { NextMinute } from './next-minute.js';

const MAX_NAMED = 20;

/** Says once what changes: that an alert fires or is over, that minutes were missed, that a rule makes no sense. */
export class EvaluationLog {
  private isFailing = false;
  private isDropping = false;
  private isCatchingUp = false;
  private damaged: ReadonlyMap<string, string> = new Map();

  constructor(private readonly logger: Logger) {}

  /** After the commit of a minute. */
  note(minute: NextMinute, { transitions, damaged, dropped }: MinuteReport): void {
    this.noteGap(minute);
    for (const transition of transitions) this.noteTransition(transition);
    this.noteDamaged(damaged);
    if (dropped > 0 && !this.isDropping) {
      this.logger.error({
        msg: 'There are too many open alerts; new ones are not opened',
        not_opened: dropped,
        what_to_do: 'narrow the scopes of the rules, or raise their thresholds',
      });
    }
    this.isDropping = dropped > 0;
  }

  noteFailure(error: unknown): void {
    if (this.isFailing) return;
    this.isFailing = true;
    this.logger.warn({ msg: 'Alerts cannot be evaluated; it is tried again and said when it works', err: error });
  }

  noteWorking(): void {
    if (!this.isFailing) return;
    this.isFailing = false;
    this.logger.log('Alerts are evaluated again');
  }

  private noteGap({ end, isPresent, backlog, skipped, ahead }: NextMinute): void {
    if (ahead > 0) {
      const msg = 'Alerts were evaluated for a time that is still to come: a clock was wrong; evaluated from now on';
      this.logger.warn({ msg, minutes: ahead });
    }
    if (skipped > 0) {
      const msg = 'Alerts were not evaluated for too long: the oldest minutes are left out';
      this.logger.warn({ msg, minutes: skipped, evaluated_from: end.toISOString() });
    }
    if (!isPresent && !this.isCatchingUp) {
      this.logger.warn({ msg: 'Alerts were not evaluated for a while; catching up', minutes: backlog });
    }
    this.isCatchingUp = !isPresent;
  }

  private noteTransition({ state, rule, severity, subjects }: Transition): void {
    const named = { rule, severity, subjects: subjects.slice(0, MAX_NAMED), count: subjects.length };
    if (state === 'firing') this.logger.warn({ msg: 'An alert fires', ...named });
    else this.logger.log({ msg: 'An alert is over', ...named });
  }

  private noteDamaged(rules: readonly DamagedRule[]): void {
    for (const { id, name, reason } of rules) {
      if (this.damaged.get(id) === reason) continue;
      const what_to_do = 'save the rule again, or delete it';
      this.logger.error({ msg: 'An alert rule cannot be evaluated; the others are', rule: name, reason, what_to_do });
    }
    this.damaged = new Map(rules.map(({ id, reason }) => [id, reason]));
  }
}
