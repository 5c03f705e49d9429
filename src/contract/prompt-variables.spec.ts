import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { normalizedVariables, requiredWithoutDefault, toVariableName, variablesProblem } from './prompt-variables.js';

const messages = (value: unknown): string[] => variablesProblem(value).map(({ message }) => message);
const fields = (value: unknown): string[] => variablesProblem(value).map(({ field }) => field);
const decomposed = 'cafe\u0301';

describe('toVariableName', () => {
  it.each(['a', '客户名', 'ß1_', 'constructor', 'a'.repeat(64), '𠮷'.repeat(64), '한글'])('takes %s', (name) => {
    expect(toVariableName(name)).toBe(name);
  });

  it('composes', () => {
    expect(toVariableName(decomposed)).toBe('café');
    // Counted after NFC: 128 code points before it.
    expect(toVariableName('e\u0301'.repeat(64))).toBe('é'.repeat(64));
    expect(toVariableName('\u1100\u1161\u11a8'.repeat(64))).toBe('각'.repeat(64));
  });

  it.each([
    '',
    '1a',
    '_a',
    '__proto__',
    'a-b',
    'a.b',
    'a b',
    'a\n',
    '$a',
    '😀',
    'a'.repeat(65),
    '𠮷'.repeat(65),
    '＿a',
  ])('refuses %j', (name) => {
    expect(toVariableName(name)).toBeNull();
  });

  it('does not normalize what is far too long for a name', () => {
    // Marks in the wrong order take quadratic time to be put right.
    expect(toVariableName(`a${'\u0301\u0316'.repeat(2_000_000)}`)).toBeNull();
  });
});

describe('variablesProblem', () => {
  it('takes every field of every type, absent ones and null', () => {
    const list = [
      { name: '客户名', type: 'string', required: true, max_length: 20, description: '姓名', example: '王芳' },
      { name: 'notes', type: 'text', default: 'a\nb', sensitive: true, untrusted: true },
      { name: 'age', type: 'integer', min: 0, max: 120, default: 18, untrusted: false },
      { name: 'ratio', type: 'number', min: 0.5, max: 0.5, default: 0.5 },
      { name: 'formal', type: 'boolean', default: false },
      { name: 'tier', type: 'enum', options: ['a', 'b'], default: 'b' },
      { name: 'due', type: 'date', default: '2026-11-30', min: null, options: null },
      { name: 'items', type: 'string[]', default: [], max_length: 3, example: ['abc'] },
      { name: 'constructor', type: 'string', required: null, default: null, description: null },
    ];
    expect(variablesProblem(list)).toEqual([]);
    expect(variablesProblem([])).toEqual([]);
    expect(variablesProblem(normalizedVariables(list as never))).toEqual([]);
  });

  it.each([null, undefined, {}, 'a', 1])('%j is no list', (value) => {
    expect(variablesProblem(value)).toEqual([{ field: 'variables', message: 'variables must be a list' }]);
  });

  it('takes 64 variables and not one more', () => {
    const some = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `v${index}`, type: 'text' }));
    expect(variablesProblem(some(64))).toEqual([]);
    expect(messages(some(65))).toEqual(['variables must have at most 64 entries']);
  });

  it.each<[object, string]>([
    [{ name: '1a' }, 'name must be a letter followed by up to 63 letters, digits or underscores'],
    [{ name: undefined }, 'name must be a letter followed by up to 63 letters, digits or underscores'],
    [{ type: 'object' }, 'type must be one of string, text, integer, number, boolean, enum, date, string[]'],
    [
      { type: 'object', min: 1, options: ['a'], untrusted: true },
      'type must be one of string, text, integer, number, boolean, enum, date, string[]',
    ],
    [{ type: 'toString' }, 'type must be one of string, text, integer, number, boolean, enum, date, string[]'],
    [{ type: null }, 'type must be one of string, text, integer, number, boolean, enum, date, string[]'],
    [{ required: 'yes' }, 'required must be true or false'],
    [{ sensitive: 1 }, 'sensitive must be true or false'],
    [{ untrusted: 'no' }, 'untrusted must be true or false'],
    [{ type: 'integer', untrusted: true }, 'untrusted is for type string, text, string[] alone'],
    [{ min: 1 }, 'min is for type integer, number alone'],
    [{ type: 'date', max: '2026-11-30' }, 'max is for type integer, number alone'],
    [{ type: 'integer', min: 0.5 }, 'min must be a number, for type integer a whole one'],
    [{ type: 'number', max: '1' }, 'max must be a number, for type integer a whole one'],
    [{ type: 'number', min: 2, max: 1 }, 'min must not be greater than max'],
    [{ max_length: 0 }, 'max_length must be a whole number from 1 to 65536'],
    [{ max_length: 65_537 }, 'max_length must be a whole number from 1 to 65536'],
    [{ type: 'enum', options: ['a'], max_length: 3 }, 'max_length is for type string, text, string[] alone'],
    [{ options: ['a'] }, 'options is for type enum alone'],
    [{ type: 'enum' }, 'options must be given for type enum'],
    ...[[], ['a', 'a'], [''], [1], 'a', Array(2), ['x'.repeat(201)], Array.from({ length: 101 }, String)].map(
      (options): [object, string] => [
        { type: 'enum', options },
        'options must be a list of 1 to 100 different texts of 1 to 200 characters',
      ],
    ),
    [{ description: 'x'.repeat(501) }, 'description must be a text of at most 500 characters'],
    [{ description: 5 }, 'description must be a text of at most 500 characters'],
    [{ default: 5 }, 'default must be one line of text (type text may have more)'],
    [{ max_length: 2, default: 'abc' }, 'default must have at most 2 characters'],
    [{ type: 'integer', min: 1, default: 0 }, 'default must be a whole number of at least 1'],
    [{ type: 'enum', options: ['a'], default: 'b' }, 'default must be one of a'],
    [{ type: 'boolean', default: 'true' }, 'default must be true or false'],
    [{ type: 'string[]', default: 'a' }, 'default must be a list of texts'],
    [
      { type: 'date', example: 'soon' },
      'example must be a date such as 2026-11-30, or a time such as 2026-11-30T08:00:00+08:00',
    ],
    [{ pattern: '^a+$' }, 'pattern is not known here'],
    [{ constructor: 1 }, 'constructor is not known here'],
    [JSON.parse('{"__proto__": {"name": "b"}}'), '__proto__ is not known here'],
  ])('refuses %j', (change, message) => {
    const fine = { name: 'a', type: 'string' };
    const path = `variables[1].${message.split(' ', 1)[0]}`;
    const broken = { name: 'b', type: 'string', ...change };
    // Spread would lose an own `__proto__`.
    const entry = Object.hasOwn(change, '__proto__') ? Object.assign(change, { name: 'b', type: 'string' }) : broken;
    expect(variablesProblem([fine, entry])).toEqual([{ field: path, message: `variables[1].${message}` }]);
  });

  it.each([null, 'a', 1, ['name']])('%j is no variable', (entry) => {
    expect(messages([entry])).toEqual(['variables[0] must be an object']);
  });

  it('names everything that is wrong at once', () => {
    const list = [{ name: 'a b', type: 'enum', max: 1, kind: 1 }, 7, { name: 'c', type: 'number', min: 'x', max: 'y' }];
    expect(fields(list)).toEqual([
      'variables[0].kind',
      'variables[0].name',
      'variables[0].max',
      'variables[1]',
      'variables[2].min',
      'variables[2].max',
    ]);
  });

  it('refuses a name twice, in any spelling', () => {
    const list = ['café', 'b', decomposed, 'b'].map((name) => ({ name, type: 'text' }));
    expect(variablesProblem(list)).toEqual([
      { field: 'variables[2].name', message: 'variables[2].name must not repeat the name of a variable before it' },
      { field: 'variables[3].name', message: 'variables[3].name must not repeat the name of a variable before it' },
    ]);
  });

  it('never repeats a value', () => {
    const secret = 'hunter2';
    const list = [
      { name: 'a', type: 'integer', sensitive: true, default: secret, example: secret },
      { name: 'b', type: 'enum', sensitive: true, options: [`${secret}-1`], default: secret },
      { name: 'c', type: 'string', description: 7, default: `${secret}\n`, max_length: 3 },
      { name: secret.concat('!'), type: secret },
    ];
    expect(fields(list)).toContain('variables[1].default');
    expect(JSON.stringify(variablesProblem(list))).not.toContain(secret);
  });

  it('stays short, however much is wrong', () => {
    const flood = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`${index}${'k'.repeat(500)}`, 1]));
    const problems = variablesProblem(Array(64).fill(flood));
    expect(problems).toHaveLength(50);
    expect(JSON.stringify(problems).length).toBeLessThan(20_000);
  });

  it('takes any JSON there is without failing, and what it takes stays right in its one form', () => {
    const entry = fc.record(
      {
        name: fc.oneof(fc.constantFrom('a', 'b', decomposed), fc.string()),
        type: fc.constantFrom('string', 'text', 'integer', 'enum', 'string[]', 'date', 'nothing'),
        required: fc.oneof(fc.boolean(), fc.constant(null)),
        default: fc.oneof(fc.constantFrom(1, 'x', null), fc.jsonValue()),
        options: fc.option(fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 })),
        min: fc.option(fc.integer()),
      },
      { requiredKeys: ['name', 'type'] },
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.array(entry, { maxLength: 3 })), (value) => {
        if (variablesProblem(value).length > 0) return;
        const normal = normalizedVariables(value as never);
        accepted += 1;
        expect(variablesProblem(normal)).toEqual([]);
        expect(normalizedVariables(normal)).toEqual(normal);
        expect(normal.every(({ name }) => name === name.normalize('NFC'))).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

describe('normalizedVariables', () => {
  it('has every field, in one order', () => {
    const [one] = normalizedVariables([{ type: 'text', name: decomposed }]);
    const [other] = normalizedVariables([{ name: 'café', untrusted: null, type: 'text', required: false }]);
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
    expect(one).toEqual({
      name: 'café',
      type: 'text',
      required: false,
      default: null,
      min: null,
      max: null,
      max_length: null,
      options: null,
      description: null,
      example: null,
      sensitive: false,
      untrusted: false,
    });
  });
});

describe('requiredWithoutDefault', () => {
  it('names what a default prompt cannot have', () => {
    expect(
      requiredWithoutDefault([
        { name: 'a', type: 'text', required: true },
        { name: decomposed, type: 'text', required: true, default: null },
        { name: 'c', type: 'text', required: true, default: '' },
        { name: 'd', type: 'boolean', required: true, default: false },
        { name: 'e', type: 'integer', required: true, default: 0 },
        { name: 'f', type: 'text' },
      ]),
    ).toEqual(['a', 'café']);
  });
});
