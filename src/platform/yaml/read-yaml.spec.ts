import { describe, expect, it } from '@jest/globals';
import { AppError } from '../errors/app-error.js';
import { yamlToJson } from './read-yaml.js';

const LIMIT = 1_000_000;
const read = async (text: string): Promise<unknown> => JSON.parse(await yamlToJson(text, LIMIT));

const refusalOf = async (text: string): Promise<string> => {
  const error = await yamlToJson(text, LIMIT).then(
    (json) => new Error(`was read: ${json.slice(0, 200)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw error;
  expect(error.code).toBe('malformed_yaml');
  return error.detail;
};

describe('yamlToJson', () => {
  it('reads what people write', async () => {
    const text = `
# a comment
defaults: &defaults { rpm: 10, tags: [a, "b"] }
list:
  - <<: *defaults
    name: one
    rpm: 20
  - <<: *defaults
    name: 'two'
text: |
  first
    second
folded: >-
  one
  line
none: ~
yes: yes
on: on
date: 2024-10-21
octal: 010
1: number
`;
    expect(await read(text)).toEqual({
      defaults: { rpm: 10, tags: ['a', 'b'] },
      list: [
        { rpm: 20, tags: ['a', 'b'], name: 'one' },
        { rpm: 10, tags: ['a', 'b'], name: 'two' },
      ],
      text: 'first\n  second\n',
      folded: 'one line',
      none: null,
      // YAML 1.2: neither booleans, nor dates, nor octal numbers.
      yes: 'yes',
      on: 'on',
      date: '2024-10-21',
      octal: 10,
      '1': 'number',
    });
  });

  it('reads an empty document as null, and JSON as it is', async () => {
    expect(await read('')).toBeNull();
    expect(await read('{"a": [1, "x", null, true], "b": {"c": 1.5}}')).toEqual({
      a: [1, 'x', null, true],
      b: { c: 1.5 },
    });
  });

  it.each([
    ['a: [1', /not valid YAML \(line 1, column \d+\)/],
    ['a: 1\n- b', /not valid YAML \(line 2/],
    ['a: 1\n---\nb: 2', /not valid YAML/],
    ['a: 1\nb:\n  c: 1\n  d: 2\n  c: 3', /same key twice in one mapping \(line 5, column 3\)/],
    ['a: 1\n"a": 2', /same key twice/],
    ['a: !!binary aGVsbG8=', /tag/],
    ['a: !include secrets.yaml', /tag/],
    ['a: !!js/function "function () {}"', /tag/],
    ['a: *nowhere', /alias without an anchor/],
    ['a: &a [*a]', /inside of its own/],
    ['<<: [1]\na: 1', /merges/],
    ['? [a, b]\n: 1', /not valid YAML/],
    ['a: .inf', /not finite/],
    ['a: [.nan]', /not finite/],
  ])('refuses %j', async (text, message) => {
    expect(await refusalOf(text)).toMatch(message);
  });

  it('never repeats the text it refuses', async () => {
    for (const text of ['key: sk-secret-value: x', 'a: "sk-secret-value', 'sk-secret-value: 1\nsk-secret-value: 2']) {
      expect(await refusalOf(text)).not.toContain('secret');
    }
  });

  const levels = 'abcdefghijklmnop'.split('');
  const laughs = levels.map((name, index) => {
    const previous = levels[index - 1];
    return `${name}: &${name} [${previous ? `*${previous},`.repeat(9) : '"ha",'.repeat(9)}]`;
  });

  it('refuses a billion laughs, by the number of aliases or by what they come to', async () => {
    expect(await refusalOf(laughs.join('\n'))).toMatch(/anchors too often/);
    const long = `a: &a "${'x'.repeat(5000)}"\nb: [${'*a,'.repeat(500)}]`;
    expect(await refusalOf(long)).toMatch(/too large once its anchors are repeated/);
  });

  it('refuses a document that is nested too deep', async () => {
    for (const text of ['['.repeat(100_000), `${'[ '.repeat(20_000)}${']'.repeat(20_000)}`, '{a: '.repeat(50_000)]) {
      expect(await refusalOf(text)).toMatch(/nested too deep|not valid YAML/);
    }
  });

  it('finds a repeated key among many without comparing each with each', async () => {
    const many = Array.from({ length: 60_000 }, (_, index) => `key-${index}: 1`).join('\n');
    const start = performance.now();
    expect(await refusalOf(`${many}\nkey-7: 2`)).toMatch(/same key twice.*line 60001/);
    // Each with each would be two billion comparisons.
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('leaves the event loop free meanwhile', async () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `- {alias: model-${index}, tags: {a: b}}`).join('\n');
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const start = performance.now();
    await yamlToJson(text, 10_000_000);
    const whole = performance.now() - start;
    clearInterval(timer);
    expect(longest).toBeLessThan(whole / 2);
  });

  it('takes one at a time, lets a few wait, and refuses the rest', async () => {
    const results = await Promise.allSettled(Array.from({ length: 9 }, () => yamlToJson('a: 1', LIMIT)));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(5);
    expect(refused.map(({ reason }) => (reason as AppError).code)).toEqual(Array(4).fill('too_busy'));
    await expect(yamlToJson('a: 1', LIMIT)).resolves.toBe('{"a":1}');
  });
});
