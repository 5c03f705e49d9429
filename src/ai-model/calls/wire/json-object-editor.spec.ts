import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { editObject, FirstItem, JsonShapeError, scanTopLevel, valueBytes } from './json-object-editor.js';

const LIMITS = { depth: 64 };
const edit = (text: string, changes: Record<string, string | undefined>): string =>
  editObject(
    Buffer.from(text),
    new Map(Object.entries(changes).map(([key, value]) => [key, value === undefined ? undefined : Buffer.from(value)])),
  ).toString();
const reasonFor = (text: string | Buffer, limits: { depth: number; members?: number } = LIMITS): string => {
  try {
    scanTopLevel(Buffer.from(text), limits);
    return 'accepted';
  } catch (error) {
    return error instanceof JsonShapeError ? error.reason : String(error);
  }
};

describe('editObject', () => {
  it('replaces a value in place and leaves big numbers, order and blanks alone', () => {
    const text = '{ "seed": 12345678901234567890,\n  "model" : "fast" , "x":1.0e2 }';
    expect(edit(text, { model: '"gpt-5"' })).toBe('{ "seed": 12345678901234567890,\n  "model" : "gpt-5" , "x":1.0e2 }');
  });

  it('replaces and removes every occurrence of a key, escaped ones too', () => {
    expect(edit('{"model":"a","b":1,"\\u006dodel":"c"}', { model: '"z"' })).toBe(
      '{"model":"z","b":1,"\\u006dodel":"z"}',
    );
    expect(edit('{"model":"a","b":1,"\\u006dodel":"c"}', { model: undefined })).toBe('{"b":1}');
  });

  it.each([
    ['{"a":1,"b":2,"c":3}', ['a'], '{"b":2,"c":3}'],
    ['{"a":1,"b":2,"c":3}', ['b'], '{"a":1,"c":3}'],
    ['{"a":1,"b":2,"c":3}', ['c'], '{"a":1,"b":2}'],
    ['{"a":1,"b":2,"c":3}', ['a', 'b'], '{"c":3}'],
    ['{"a":1,"b":2,"c":3}', ['a', 'c'], '{"b":2}'],
    ['{ "a":1 , "b":2 }', ['a', 'b'], '{  }'],
  ])('removes from %s the keys %j', (text, keys, expected) => {
    expect(edit(text, Object.fromEntries(keys.map((key) => [key, undefined])))).toBe(expected);
  });

  it('adds behind the last member, also to an empty object and to one it empties', () => {
    expect(edit('{\n "a":1\n}', { b: '2', c: '3' })).toBe('{\n "a":1,"b":2,"c":3\n}');
    expect(edit('{ }', { b: '2', c: '3' })).toBe('{"b":2,"c":3 }');
    expect(edit('{"a":1}', { a: undefined, b: '2' })).toBe('{"b":2}');
    expect(edit('{"a":1,"b":2}', { b: undefined, 'q"\\': '3' })).toBe('{"a":1,"q\\"\\\\":3}');
  });

  it('returns the very buffer when nothing changes', () => {
    const text = Buffer.from('\uFEFF {"a":1} ');
    expect(editObject(text, new Map())).toBe(text);
    expect(editObject(text, new Map([['absent', undefined]]))).toBe(text);
  });

  it.each([
    ['{"messages":[1,2],"x":[3]}', '{"messages":[{"a":1},1,2],"x":[3]}'],
    ['{"messages": [ \n 1 ] }', '{"messages": [{"a":1}, \n 1 ] }'],
    ['{"messages":[]}', '{"messages":[{"a":1}]}'],
    ['{"messages": [ \t ]}', '{"messages": [{"a":1} \t ]}'],
    // Which of them a server takes is not known; what is no list cannot be meant.
    [
      '{"messages":[1],"messages":7,"m\\u0065ssages":[2]}',
      '{"messages":[{"a":1},1],"messages":7,"m\\u0065ssages":[{"a":1},2]}',
    ],
    ['{}', '{"messages":[{"a":1}]}'],
  ])('puts an item in front of a list: %s', (text, expected) => {
    const changes = new Map([['messages', new FirstItem(Buffer.from('{"a":1}'))]]);
    expect(editObject(Buffer.from(text), changes).toString()).toBe(expected);
  });

  it('tolerates a byte order mark and keeps it', () => {
    expect(edit('\uFEFF\r\n{"a":1}\n', { a: '2' })).toBe('\uFEFF\r\n{"a":2}\n');
  });

  it('is not misled by braces, commas and escaped quotes in strings of any length', () => {
    for (const filling of ['}', ',"model":"x"', '\\', '"', '\\"', 'é"'.repeat(50)]) {
      for (const length of [0, 1, 62, 63, 64, 65, 200]) {
        const content = 'x'.repeat(length) + filling + 'y'.repeat(length) + filling;
        const text = JSON.stringify({ content, nested: [{ [content]: content }], model: 'a' });
        expect(JSON.parse(edit(text, { model: '"b"' }))).toEqual({
          content,
          nested: [{ [content]: content }],
          model: 'b',
        });
      }
    }
  });

  it('skips a large image', () => {
    const text = `{"messages":[{"image":"${'A'.repeat(30_000_000)}"}],"model":"a"}`;
    const edited = editObject(Buffer.from(text), new Map([['model', Buffer.from('"b"')]]));
    expect(edited.subarray(-14).toString()).toBe('],"model":"b"}');
    expect(edited.length).toBe(text.length);
  });
});

describe('scanTopLevel', () => {
  it.each(['', ' ', '[1]', '"a"', '1', 'null', '\uFEFF'])('refuses %j, which is no object', (text) => {
    expect(reasonFor(text)).toBe('not_an_object');
  });

  it.each([
    ['{'],
    ['{"a'],
    ['{"a"'],
    ['{"a":'],
    ['{"a":}'],
    ['{"a":1'],
    ['{"a":1,'],
    ['{"a":1,}'],
    ['{"a":1 "b":2}'],
    ['{"a":['],
    ['{"a":"\\'],
    ['{"a":"\\"}'],
    ['{"\\x":1}'],
    ['{"a":1}}'],
    ['{a:1}'],
    [`{"a":"${'\\'.repeat(99)}"}`],
  ])('refuses %j as malformed', (text) => {
    expect(reasonFor(text)).toBe('malformed');
  });

  it('counts the depth with the object as the first level', () => {
    const nested = (depth: number): string => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(reasonFor(nested(64))).toBe('accepted');
    expect(reasonFor(nested(65))).toBe('too_deep');
    expect(reasonFor(`{"a":${'{"a":'.repeat(100_000)}`)).toBe('too_deep');
    expect(reasonFor(`{"a":"${'['.repeat(100)}"}`)).toBe('accepted');
    expect(reasonFor('{"a":1}', { depth: 1 })).toBe('accepted');
    expect(reasonFor('{"a":{}}', { depth: 1 })).toBe('too_deep');
  });

  it('refuses a flood of members', () => {
    expect(reasonFor(`{${'"":0,'.repeat(9_999)}"":0}`)).toBe('accepted');
    expect(reasonFor(`{${'"":0,'.repeat(10_000)}"":0}`)).toBe('too_many_members');
  });

  it('ends on any bytes whatever', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const structural = fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', ' ', '1', 'a', 'é'),
    });
    const known = new Set(['accepted', 'not_an_object', 'too_deep', 'malformed']);
    fc.assert(
      fc.property(fc.oneof(bytes, structural), fc.boolean(), (input, braced) => {
        const text = Buffer.from(input as string);
        expect(known).toContain(reasonFor(braced ? Buffer.concat([Buffer.from('{"a":'), text]) : text));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('valueBytes', () => {
  it('gives the last value of a key as it was written', () => {
    const text = Buffer.from('{"a": 1.0 , "a" :{"b": 2 } }');
    const topLevel = scanTopLevel(text, LIMITS);
    expect(valueBytes(text, topLevel, 'a')?.toString()).toBe('{"b": 2 }');
    expect(valueBytes(text, topLevel, 'b')).toBeUndefined();
  });
});

const blank = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 3 });
const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A string as JSON, some of its characters written as escapes. */
const stringText = (value: string): fc.Arbitrary<string> =>
  fc.func(fc.nat({ max: 3 })).map((choice) => {
    const units = value.split('').map((unit, index) => (choice(index) === 0 ? escapeUnit(unit) : null));
    if (units.every((unit) => unit === null)) return JSON.stringify(value);
    return `"${value
      .split('')
      .map((unit, index) => units[index] ?? (/[\ud800-\udfff]/.test(unit) ? escapeUnit(unit) : plain(unit)))
      .join('')}"`;
  });
const plain = (unit: string): string => JSON.stringify(unit).slice(1, -1);

const keyValue = fc.oneof(
  fc.constantFrom('model', 'stream', 'usage', '', '__proto__', 'schlüssel', '模型'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const number = fc.oneof(
  fc.bigInt().map(String),
  fc.constantFrom('-0', '1.50', '1E400', '12345678901234567890', '0.1e-7', 'true', 'false', 'null'),
);
const text = fc.string({ unit: 'binary', maxLength: 90 }).chain(stringText);
const { value } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, number, text, tie('list'), tie('object')),
  list: fc
    .tuple(blank, fc.array(tie('value'), { maxLength: 3 }))
    .map(([gap, items]) => `[${gap}${items.join(`${gap},`)}]`),
  object: fc
    .tuple(blank, fc.array(fc.tuple(text, tie('value')), { maxLength: 3 }))
    .map(([gap, items]) => `{${gap}${items.map(([key, item]) => `${key}${gap}:${item}`).join(`,${gap}`)}}`),
}));

const member = fc
  .record({ key: keyValue, value, gaps: fc.tuple(blank, blank, blank, blank) })
  .chain((parts) => stringText(parts.key).map((keyText) => ({ ...parts, keyText })));
const members = fc.array(member, { maxLength: 7 });
const write = (list: readonly { keyText: string; value: string; gaps: string[] }[]): string =>
  `{${list.map(({ keyText, value, gaps: [a, b, c, d] }) => a + keyText + b + ':' + c + value + d).join(',') || '\n'}}`;
const entries = (json: string): Map<string, unknown> => new Map(Object.entries(JSON.parse(json) as object));
const rawMembers = (json: string): [string, string, string][] => {
  const bytes = Buffer.from(json);
  return scanTopLevel(bytes, LIMITS).members.map(({ key, keyStart, keyEnd, valueStart, valueEnd }) => [
    key,
    bytes.toString('utf8', keyStart, keyEnd),
    bytes.toString('utf8', valueStart, valueEnd),
  ]);
};

describe('any object', () => {
  it('is scanned into the members it was written from', () => {
    fc.assert(
      fc.property(members, (list) => {
        expect(rawMembers(write(list))).toEqual(list.map(({ key, keyText, value }) => [key, keyText, value]));
      }),
      { numRuns: 1000 },
    );
  });

  it('means after an edit what it would mean after the same change of the parsed object; the rest keeps its bytes', () => {
    const change = fc.tuple(keyValue, fc.option(value, { nil: undefined }));
    fc.assert(
      fc.property(members, fc.array(change, { maxLength: 4 }), fc.nat(), (list, changed, pick) => {
        const existing = list.length > 0 ? [[list[pick % list.length]!.key, pick % 2 ? '1' : undefined] as const] : [];
        const changes = new Map<string, string | undefined>([...changed, ...existing]);
        const before = write(list);
        const buffers = new Map(
          [...changes].map(([key, json]) => [key, json === undefined ? json : Buffer.from(json)]),
        );
        const after = editObject(Buffer.from(before), buffers).toString();

        const expected = entries(before);
        for (const [key, json] of changes) {
          if (json === undefined) expected.delete(key);
          else expected.set(key, JSON.parse(json));
        }
        expect(entries(after)).toEqual(expected);
        const untouched = list.filter(({ key }) => !changes.has(key));
        expect(rawMembers(after).filter(([key]) => !changes.has(key))).toEqual(
          untouched.map(({ key, keyText, value }) => [key, keyText, value]),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('is given back as it is when each value is replaced by itself', () => {
    fc.assert(
      fc.property(fc.uniqueArray(member, { maxLength: 7, selector: ({ key }) => key }), (list) => {
        const json = write(list);
        const same = new Map(list.map(({ key, value }) => [key, Buffer.from(value)]));
        expect(editObject(Buffer.from(json), same).toString()).toBe(json);
      }),
      { numRuns: 500 },
    );
  });
});
