import { describe, expect, it } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import { EvaluationLog } from './evaluation-log.js';
import type { MinuteReport } from './minute-evaluation.js';
import type { NextMinute } from './next-minute.js';

const minute = (fields: Partial<NextMinute> = {}): NextMinute => ({
  end: new Date(0),
  isPresent: true,
  backlog: 0,
  skipped: 0,
  ahead: 0,
  ...fields,
});
const report = (fields: Partial<MinuteReport> = {}): MinuteReport => ({
  transitions: [],
  damaged: [],
  dropped: 0,
  ...fields,
});

const heard = (): { log: EvaluationLog; lines: string[] } => {
  const lines: string[] = [];
  const hear = (line: string | { msg: string }): number => lines.push(typeof line === 'string' ? line : line.msg);
  return { log: new EvaluationLog({ log: hear, warn: hear, error: hear } as unknown as Logger), lines };
};

describe('the log of the evaluation', () => {
  it('says once that it does not work, and once that it does again', () => {
    const { log, lines } = heard();
    log.noteWorking();
    for (let time = 0; time < 3; time += 1) log.noteFailure(new Error('away'));
    log.noteWorking();
    log.noteWorking();
    expect(lines).toEqual([
      'Alerts cannot be evaluated; it is tried again and said when it works',
      'Alerts are evaluated again',
    ]);
  });

  it('says once of a gap that it is caught up, and of the next one again', () => {
    const { log, lines } = heard();
    for (const isPresent of [true, false, false, true, false]) {
      log.note(minute({ isPresent, backlog: isPresent ? 0 : 5 }), report());
    }
    expect(lines).toEqual(Array.from({ length: 2 }, () => 'Alerts were not evaluated for a while; catching up'));
    log.note(minute({ skipped: 3 }), report());
    log.note(minute({ ahead: 30 }), report());
    expect(lines.slice(2)).toEqual([
      'Alerts were not evaluated for too long: the oldest minutes are left out',
      'Alerts were evaluated for a time that is still to come: a clock was wrong; evaluated from now on',
    ]);
  });

  it('says once that a rule makes no sense, and again when it was mended in between or for another reason', () => {
    const { log, lines } = heard();
    const damaged = (reason: string): MinuteReport => report({ damaged: [{ id: '1', name: 'broken', reason }] });
    for (const one of [damaged('a'), damaged('a'), damaged('b'), report(), damaged('b')]) log.note(minute(), one);
    expect(lines).toHaveLength(3);
  });

  it('says once that there are too many alerts', () => {
    const { log, lines } = heard();
    for (const dropped of [0, 5, 5, 0, 5]) log.note(minute(), report({ dropped }));
    expect(lines).toEqual(Array.from({ length: 2 }, () => 'There are too many open alerts; new ones are not opened'));
  });
});
