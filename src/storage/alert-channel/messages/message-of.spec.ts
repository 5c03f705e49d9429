import { describe, expect, it } from '@jest/globals';
import { ALERT_KINDS, LANGUAGES } from '../../../contract/alert-kinds.js';
import type { Notice } from '../../../contract/alert-notice.js';
import { expectGolden } from '../../../../test/support/golden.js';
import { durationText, figureText, lastingText } from './figures.js';
import { messageOf } from './message-of.js';
import { cutTo, cutToBytes, layOutWithin, plainBodyOf } from './message.js';
import { A_TEST, aBudgetNotice, aGroup, anAlert, aNotice } from './notices.spec-support.js';

const HUB = 'https://hub.example.com';

const NOTICES: readonly Notice[] = [
  ...ALERT_KINDS.map((kind) => aNotice(kind)),
  aNotice('error_rate', 'reminder', { at: '2026-11-26T07:31:15.000Z' }),
  aNotice('storage_degraded', 'reminder'),
  ...ALERT_KINDS.map((kind) => aNotice(kind, 'resolved')),
  aNotice('error_rate', 'resolved', {
    alerts: [anAlert({ value: null, calls: null, resolved_at: '2026-11-25T04:31:30.000Z', reason: 'no_data' })],
  }),
  aNotice('bad_credential', 'resolved', {
    alerts: [anAlert({ value: null, calls: null, resolved_at: '2026-11-25T05:00:00.000Z', reason: 'rule_off' })],
  }),
  aGroup('firing'),
  aGroup('firing', 2, 17),
  aGroup('reminder'),
  aGroup('resolved'),
  aBudgetNotice(),
  aBudgetNotice({
    spent_usd: 500.004,
    threshold: 100,
    refuses: true,
    scope: 'all',
    period: 'day',
    from: '2026-11-25T00:00:00.000Z',
    to: '2026-11-26T00:00:00.000Z',
  }),
  A_TEST,
];

describe('messageOf', () => {
  it.each(LANGUAGES)('says every kind and event in %s', (language) => {
    const texts = NOTICES.map((notice) => {
      const message = messageOf(notice, language, HUB);
      return `${message.title}\n${plainBodyOf(message)}\n`;
    });
    expectGolden(`alert-messages/all-kinds.${language}`, texts.join('\n'), 'txt');
  });

  it('links to the alert, or to those of the rule, and not at all without an address', () => {
    const alert = anAlert();
    expect(messageOf(aNotice(), 'en', HUB).link?.url).toBe(`${HUB}/console/alerts/${alert.id}`);
    expect(messageOf(aGroup('firing'), 'en', `${HUB}/hub`).link?.url).toBe(`${HUB}/hub/console/alerts?rule=error-rate`);
    expect(messageOf(aNotice(), 'en', null).link).toBeNull();
    expect(plainBodyOf(messageOf(aNotice(), 'en', null))).not.toContain('console');
  });

  it('names fifty alerts at most, and counts the others', () => {
    const message = messageOf(aGroup('firing', 50, 12), 'en', HUB);
    expect(message.subjects).toHaveLength(50);
    expect(message.title).toContain('62 models');
    expect(message.more).toBe('and 12 others not named here');
    expect(message.naming(3)).toMatchObject({ more: 'and 59 others not named here', title: message.title });
    expect(message.naming(3).subjects).toEqual(message.subjects.slice(0, 3));
    expect(message.naming(50).more).toBe(message.more);
  });

  it('keeps every text in one line, whatever names and descriptions hold', () => {
    const notice = aNotice('error_rate', 'firing', { alerts: [anAlert({ subject: 'a\r\nBcc: b\u2028c\u202e' })] });
    notice.rule.description = 'first\nsecond\u0000';
    const message = messageOf(notice, 'zh-CN', HUB);
    const texts = [message.title, ...message.lines.flatMap(({ label, value }) => [label, value])];
    expect(texts.filter((text) => /[\p{Cc}\u2028\u202e]/u.test(text))).toEqual([]);
    expect(message.title).toContain('a Bcc: b c');
    expect(message.lines.find(({ label }) => label === '说明')?.value).toBe('first second ');
  });

  it('says nothing of the clock of who delivers it', () => {
    expect(plainBodyOf(messageOf(aNotice(), 'en', HUB))).toBe(plainBodyOf(messageOf(aNotice(), 'en', HUB)));
    expect(plainBodyOf(messageOf(aNotice(), 'en', HUB))).toContain('2026-11-25 04:31 UTC, for 12 minutes');
  });
});

describe('figures', () => {
  it.each([
    [0, '0 seconds'],
    [1, '1 second'],
    [59.6, '1 minute'],
    [75, '1 minute 15 seconds'],
    [3600, '1 hour'],
    [3661, '1 hour 1 minute'],
    [90_000, '1 day 1 hour'],
    [86_400 * 1500, '1,500 days'],
  ])('says %d seconds as %s', (seconds, text) => expect(durationText(seconds, 'en')).toBe(text));

  it.each([
    [42.307, 'percent', '42.3%'],
    [0.0412, 'percent', '0.041%'],
    [100, 'percent', '100%'],
    [850, 'milliseconds', '850 ms'],
    [60_000, 'milliseconds', '60 s'],
    [83_412, 'milliseconds', '83.4 s'],
    [1, 'calls', '1 call'],
    [12_345, 'calls', '12,345 calls'],
    [0.000_001, 'usd', '$0.000001'],
    [0.5, 'usd', '$0.50'],
    [104.256, 'usd', '$104.26'],
    [0, 'usd', '$0.00'],
    [95, 'seconds', '1 minute 35 seconds'],
    [1440, 'minutes', '1 day'],
  ] as const)('says %d %s as %s', (value, unit, text) => expect(figureText(value, unit, 'en')).toBe(text));

  it('tells how long something lasts to the minute', () => {
    const at = (time: string): Date => new Date(`2026-11-25T${time}Z`);
    expect(lastingText(at('04:00:00'), at('04:00:59'), 'en')).toBe('less than a minute');
    expect(lastingText(at('04:00:00'), at('04:02:59'), 'zh-CN')).toBe('2 分钟');
    expect(lastingText(at('04:00:00'), at('06:05:00'), 'zh-CN')).toBe('2 小时 5 分钟');
  });
});

describe('fitting', () => {
  it('cuts between characters', () => {
    expect(cutToBytes('模型', 6)).toBe('模型');
    expect(cutToBytes('模型', 5)).toBe('模');
    expect(cutToBytes('a😀', 4)).toBe('a');
    expect(cutTo('abc', 3)).toBe('abc');
    expect(cutTo('abcd', 3)).toBe('ab…');
    expect(cutTo('a😀b', 3)).toBe('a…');
  });

  it('names as many alerts as there is room for', () => {
    const message = messageOf(aGroup('firing', 50), 'zh-CN', HUB);
    const whole = Buffer.byteLength(plainBodyOf(message));
    expect(layOutWithin(message, whole, plainBodyOf)).toBe(plainBodyOf(message));
    const fitted = layOutWithin(message, whole - 1, plainBodyOf) ?? '';
    expect(Buffer.byteLength(fitted)).toBeLessThan(whole);
    expect(fitted).toContain('model-48');
    expect(fitted).toMatch(/另有 \d 项未列出/u);
    expect(layOutWithin(message, 10, plainBodyOf)).toBeNull();
  });
});
