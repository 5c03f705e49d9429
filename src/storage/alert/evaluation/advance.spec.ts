import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { advance, close, type Figure, type LiveAlert, tellingOf, told } from './advance.js';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);
const at = (minute: number): Date => new Date(START + minute * MINUTE);

interface Rule {
  forMinutes: number;
  keepFiringMinutes: number;
  reminderMinutes: number;
}

/** What a minute is: its figure, and whether people may be told. */
interface Moment {
  figure: Figure | null;
  isSilenced: boolean;
  hasChannel: boolean;
  acknowledges: boolean;
}

interface Event {
  minute: number;
  event: 'firing' | 'reminder' | 'resolved';
  since: number;
}

const BAD: Figure = { value: 50, calls: 20, isBad: true };
const GOOD: Figure = { value: 1, calls: 20, isBad: false };

/** Lives through minutes as the evaluation does, and tells what people hear. */
const live = (rule: Rule, moments: readonly Moment[]): { events: Event[]; states: (LiveAlert | null)[] } => {
  const events: Event[] = [];
  const states: (LiveAlert | null)[] = [];
  let alert: LiveAlert | null = null;
  for (const [index, { figure, isSilenced, hasChannel, acknowledges }] of moments.entries()) {
    let next: LiveAlert | null = advance(rule, 'fast', alert, figure, at(index));
    if (next && acknowledges) next = { ...next, acknowledgedAt: at(index) };
    const event = next && tellingOf(rule, next, isSilenced, at(index));
    if (next && event && hasChannel) {
      events.push({ minute: index, event, since: (next.since.getTime() - START) / MINUTE });
      next = told(next, at(index));
    }
    states.push(next);
    alert = next?.state === 'resolved' ? null : next;
  }
  return { events, states };
};

const moment = fc.record<Moment>({
  figure: fc.oneof(fc.constant(BAD), fc.constant(GOOD), fc.constant(null)),
  isSilenced: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  hasChannel: fc.oneof({ weight: 1, arbitrary: fc.constant(true) }, { weight: 5, arbitrary: fc.constant(false) }),
  acknowledges: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const rules = fc.record<Rule>({
  forMinutes: fc.integer({ min: 0, max: 4 }),
  keepFiringMinutes: fc.integer({ min: 0, max: 4 }),
  reminderMinutes: fc.integer({ min: 0, max: 4 }),
});
/** A channel may come late, and stays. */
const moments = fc.array(moment, { maxLength: 60 }).map((list) => {
  const first = list.findIndex(({ hasChannel }) => hasChannel);
  return list.map((one, index) => ({ ...one, hasChannel: first >= 0 && index >= first }));
});
const always = { isSilenced: false, hasChannel: true, acknowledges: false };
const RUNS = { numRuns: 2000 };

describe('the life of an alert', () => {
  it('fires after so many bad minutes in a row, and is over after so many that are not', () => {
    const figures = [BAD, BAD, BAD, GOOD, BAD, GOOD, GOOD, GOOD, BAD];
    const { events, states } = live(
      { forMinutes: 2, keepFiringMinutes: 3, reminderMinutes: 0 },
      figures.map((figure) => ({ figure, ...always })),
    );
    expect(events).toEqual([
      { minute: 2, event: 'firing', since: 0 },
      { minute: 7, event: 'resolved', since: 0 },
    ]);
    expect(states.map((alert) => alert?.state ?? null)).toEqual([
      'pending',
      'pending',
      'firing',
      'firing',
      'firing',
      'firing',
      'firing',
      'resolved',
      'pending',
    ]);
    expect(states[7]).toMatchObject({ resolvedReason: 'recovered', lastBadAt: at(4), firedAt: at(2), value: 50 });
  });

  it('that ends with too little to tell ends for that reason, and one whose rule is off for that one', () => {
    const rule = { forMinutes: 0, keepFiringMinutes: 0, reminderMinutes: 0 };
    const firing = advance(rule, 'fast', null, BAD, at(0)) as LiveAlert;
    expect(advance(rule, 'fast', firing, null, at(1))).toMatchObject({ state: 'resolved', resolvedReason: 'no_data' });
    expect(close(firing, at(1))).toMatchObject({ state: 'resolved', resolvedReason: 'rule_off', resolvedAt: at(1) });
    expect(close({ ...firing, state: 'pending' }, at(1))).toBeNull();
  });

  it('never fires before it was bad in every minute of the time, the one it fires in included', () => {
    fc.assert(
      fc.property(rules, moments, (rule, list) => {
        for (const [index, alert] of live(rule, list).states.entries()) {
          if (alert?.firedAt?.getTime() !== at(index).getTime()) continue;
          const before = list.slice(index - rule.forMinutes, index + 1);
          expect(before).toHaveLength(rule.forMinutes + 1);
          expect(before.every(({ figure }) => figure?.isBad)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('fires as soon as it was, and is never over before it was not bad for the time', () => {
    fc.assert(
      fc.property(rules, moments, (rule, list) => {
        const { states } = live(rule, list);
        for (const [index, alert] of states.entries()) {
          const isBad = (back: number): boolean => list[index - back]?.figure?.isBad ?? false;
          const lately = Array.from({ length: rule.forMinutes + 1 }, (_, back) => back);
          if (lately.every(isBad)) expect(alert?.state).toBe('firing');
          if (alert?.state !== 'resolved') continue;
          const quiet = Array.from({ length: Math.max(1, rule.keepFiringMinutes) }, (_, back) => back);
          expect(quiet.some(isBad)).toBe(false);
        }
      }),
      RUNS,
    );
  });

  it('is told once that it fires and once that it is over, in turn, reminders only in between', () => {
    fc.assert(
      fc.property(rules, moments, (rule, list) => {
        let isTold = false;
        for (const { event } of live(rule, list).events) {
          if (event === 'firing') expect(isTold).toBe(false);
          else expect(isTold).toBe(true);
          isTold = event !== 'resolved';
        }
      }),
      RUNS,
    );
  });

  it('tells everybody who was told that it is over, at once and whatever the silence', () => {
    fc.assert(
      fc.property(rules, moments, (rule, list) => {
        const { events, states } = live(rule, list);
        const ends = [...states.entries()].filter(([, alert]) => alert?.state === 'resolved' && alert.notifiedAt);
        const over = events.filter(({ event }) => event === 'resolved');
        expect(over.map(({ minute }) => minute)).toEqual(ends.map(([minute]) => minute));
      }),
      RUNS,
    );
  });

  it('is told of as soon as nothing is in the way, with the time since when it really is so', () => {
    fc.assert(
      fc.property(rules, moments, (rule, list) => {
        const { events, states } = live(rule, list);
        for (const { minute, event, since } of events.filter((one) => one.event === 'firing')) {
          expect({ event, since: states[minute]?.since }).toEqual({ event, since: at(since) });
          const firedAt = ((states[minute]?.firedAt?.getTime() ?? 0) - START) / MINUTE;
          const before = list.slice(firedAt, minute);
          expect(before.every(({ isSilenced, hasChannel }) => isSilenced || !hasChannel)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('is reminded of at its interval, never while silenced, nor after somebody takes care of it', () => {
    fc.assert(
      fc.property(rules, moments, (rule, list) => {
        let last = -1;
        const { events, states } = live(rule, list);
        for (const { minute, event } of events) {
          if (event === 'reminder') {
            expect(rule.reminderMinutes).toBeGreaterThan(0);
            expect(minute - last).toBeGreaterThanOrEqual(rule.reminderMinutes);
            expect(list[minute]?.isSilenced).toBe(false);
            expect(states[minute]?.acknowledgedAt).toBeNull();
          }
          last = minute;
        }
      }),
      RUNS,
    );
  });

  it('is the same when a minute is evaluated again, and changes nothing it was given', () => {
    fc.assert(
      fc.property(rules, moments, (rule, list) => {
        const first = live(rule, list);
        expect(live(rule, list)).toEqual(first);
        for (const [index, { figure }] of list.entries()) {
          const alert = first.states[index - 1] ?? null;
          if (alert?.state === 'resolved') continue;
          const before = structuredClone(alert);
          const once = advance(rule, 'fast', alert, figure, at(index));
          expect(advance(rule, 'fast', alert, figure, at(index))).toEqual(once);
          expect(alert).toEqual(before);
        }
      }),
      { numRuns: 300 },
    );
  });
});
