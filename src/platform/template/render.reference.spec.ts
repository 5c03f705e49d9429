import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { PromptVariable } from '../../contract/prompt-variables.js';
import { renderTemplate } from './render.js';
import { compileTemplate } from './template.js';
import { TemplateError } from './template-problems.js';

/**
 * Templates are generated as trees and written down as text, so that what they have to render to is known without
 * reading the text: the reference below never sees a brace.
 */
type Part =
  | { kind: 'text'; text: string }
  | { kind: 'note'; text: string; blank: string }
  | { kind: 'value'; name: string; blank: string }
  | { kind: 'item'; blank: string }
  | { kind: 'section'; name: string; blank: string; isInverted: boolean; parts: Part[] };

const VARIABLES: PromptVariable[] = [
  { name: 'constructor', type: 'string', max_length: 200 },
  { name: 'toString', type: 'text', default: '{{toString}}' },
  { name: '客户名', type: 'text' },
  { name: 'café', type: 'text' },
  { name: 'stranger', type: 'text', untrusted: true },
  { name: 'valueOf', type: 'integer', min: -1000 },
  { name: 'ratio', type: 'number', default: 0.5 },
  { name: 'formal', type: 'boolean', default: true },
  { name: 'tier', type: 'enum', options: ['{{', '}}', '专业'] },
  { name: 'due', type: 'date' },
  { name: 'items', type: 'string[]', default: ['{{.}}', '{{/items}}'] },
  { name: 'hasOwnProperty', type: 'string[]' },
  { name: 'strangers', type: 'string[]', untrusted: true },
];
const namesOf = (...types: PromptVariable['type'][]): string[] =>
  VARIABLES.filter(({ type }) => types.includes(type)).map(({ name }) => name);
const LISTS = namesOf('string[]');
const NUMBERS = namesOf('integer', 'number');
const NAMES = VARIABLES.map(({ name }) => name);

const SIGNS = [
  '{',
  '}',
  '{{',
  '}}',
  '{{{',
  '\\',
  '\\{{',
  '#',
  '/',
  '^',
  '!',
  '.',
  ' ',
  '"',
  '$&',
  '$1',
  '%s',
  '<',
  '>',
];
const TAGS = ['{{客户名}}', '{{.}}', '{{#items}}', '{{/items}}', '{{^formal}}', '{{!', '</untrusted>', '<untrusted'];
const WORDS = ['__proto__', 'constructor', 'toString', '客', '😀', 'e\u0301', '\u200b', '\ud83d', 'a', '0'];
const hostile = (...more: string[]): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...SIGNS, ...TAGS, ...WORDS, ...more), maxLength: 12 });
const line = fc
  .oneof(hostile(), fc.string({ unit: 'binary', maxLength: 8 }))
  .map((text) => text.replace(/[\n\v\f\r\x85\u2028\u2029]/g, ''));
const text = fc.oneof(hostile('\n', '\r\n'), fc.string({ unit: 'binary', maxLength: 8 }));

const givenValues = fc.record(
  {
    constructor: line,
    toString: text,
    客户名: text,
    café: text,
    stranger: text,
    valueOf: fc.integer({ min: -1000 }),
    ratio: fc.double({ noNaN: true, noDefaultInfinity: true }),
    formal: fc.boolean(),
    tier: fc.constantFrom('{{', '}}', '专业'),
    due: fc.constantFrom('2026-11-30', '2026-11-30T08:00:00Z'),
    items: fc.array(text, { maxLength: 4 }),
    hasOwnProperty: fc.array(text, { maxLength: 4 }),
    strangers: fc.array(text, { maxLength: 3 }),
    nobody: text,
  },
  { requiredKeys: [] },
);

const blank = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\u3000'), maxLength: 2 });
const nameFrom = (names: string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...names), fc.constantFrom('NFC', 'NFD')).map(([name, form]) => name.normalize(form));

const partsOf = (depth: number, hasItem: boolean): fc.Arbitrary<Part[]> => {
  const literal = fc.record({ kind: fc.constant('text' as const), text });
  const note = fc.record({
    kind: fc.constant('note' as const),
    text: text.map((note) => note.replace(/[{}]/g, '')),
    blank,
  });
  const value = fc.record({
    kind: fc.constant('value' as const),
    name: nameFrom(NAMES.filter((name) => !LISTS.includes(name))),
    blank,
  });
  const item = fc.record({ kind: fc.constant('item' as const), blank });
  const leaves: fc.Arbitrary<Part>[] = [literal, literal, value, value, note, ...(hasItem ? [item, item] : [])];
  if (depth === 0) return fc.array(fc.oneof(...leaves), { maxLength: 3 }).map(tidy);
  const section = fc
    .record({ name: nameFrom(NAMES.filter((name) => !NUMBERS.includes(name))), isInverted: fc.boolean(), blank })
    .chain((head) => {
      const isList = LISTS.includes(head.name) && !head.isInverted;
      return partsOf(depth - 1, hasItem || isList).map((parts): Part => ({ kind: 'section', ...head, parts }));
    });
  return fc.array(fc.oneof(...leaves, section, section), { maxLength: 5 }).map(tidy);
};

/** Neighbouring literals are one; and no text ends in a brace, which would run into the tag behind it. */
const tidy = (parts: Part[]): Part[] => {
  const tidied: Part[] = [];
  for (const part of parts) {
    const last = tidied.at(-1);
    if (part.kind === 'text' && last?.kind === 'text') last.text += part.text;
    else tidied.push(part.kind === 'text' ? { ...part } : part);
  }
  for (const part of tidied) if (part.kind === 'text' && part.text.endsWith('{')) part.text += '.';
  return tidied;
};

/** Doubles the backslashes before braces and adds one; before a tag it doubles them. */
const writeText = (text: string, isBeforeTag: boolean): string => {
  const escaped = text.replace(/(\\*)\{\{/g, '$1$1\\{{');
  return isBeforeTag ? escaped.replace(/\\+$/, '$&$&') : escaped;
};

const writePart = (part: Exclude<Part, { kind: 'text' }>): string => {
  const { blank } = part;
  if (part.kind === 'note') return `{{${blank}!${part.text}}}`;
  if (part.kind === 'value') return `{{${blank}${part.name}${blank}}}`;
  if (part.kind === 'item') return `{{${blank}.${blank}}}`;
  const start = `{{${blank}${part.isInverted ? '^' : '#'}${blank}${part.name}${blank}}}`;
  return `${start}${writeParts(part.parts, true)}{{/${blank}${part.name}}}`;
};

const writeParts = (parts: Part[], isInside: boolean): string =>
  parts
    .map((part, index) =>
      part.kind === 'text' ? writeText(part.text, isInside || index < parts.length - 1) : writePart(part),
    )
    .join('');

type Value = string | number | boolean | string[] | undefined;

const isTrue = (value: Value): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== '' && value !== false;

const fenced = (variable: PromptVariable | undefined, value: string): string => {
  if (!variable?.untrusted || value === '') return value;
  const harmless = value.replace(/<([\s/]*untrusted)/giu, '&lt;$1');
  return `<untrusted name="${variable.name}">${harmless}</untrusted>`;
};

interface Item {
  text: string;
}

const reference = (parts: Part[], values: Map<string, Value>, item: Item): string =>
  parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      if (part.kind === 'note') return '';
      if (part.kind === 'item') return item.text;
      const name = part.name.normalize('NFC');
      const variable = VARIABLES.find((one) => one.name === name);
      const value = values.get(name);
      if (part.kind === 'value') {
        return value === undefined ? '' : fenced(variable, typeof value === 'string' ? value : JSON.stringify(value));
      }
      if (part.isInverted) return isTrue(value) ? '' : reference(part.parts, values, item);
      if (!Array.isArray(value)) return isTrue(value) ? reference(part.parts, values, item) : '';
      return value.map((entry) => reference(part.parts, values, { text: fenced(variable, entry) })).join('');
    })
    .join('');

const valuesOf = (given: Record<string, unknown>): Map<string, Value> =>
  new Map([
    ...VARIABLES.map(({ name, default: value }): [string, Value] => [name, value as Value]),
    ...Object.entries(given).map(([key, value]): [string, Value] => [key.normalize('NFC'), value as Value]),
  ]);

/** Repeats the parts for each pair of entries of two lists. */
const inLists = (parts: Part[]): Part[] =>
  ['items', 'hasOwnProperty'].reduce(
    (inner, name): Part[] => [{ kind: 'section', name, blank: '', isInverted: false, parts: inner }],
    tidy([...parts, { kind: 'item', blank: '' }]),
  );

const sizeOf = (text: string): number => Buffer.byteLength(text);

describe('any template with any values', () => {
  it('renders to what its tree says: no value changes the structure', () => {
    const seen = { sections: 0, hostile: 0, long: 0 };
    fc.assert(
      fc.property(partsOf(4, false), givenValues, (parts, given) => {
        const written = writeParts(parts, false);
        const expected = reference(parts, valuesOf(given), { text: '' });
        const template = compileTemplate({ text: written, syntax: 'mustache-strict-1', variables: VARIABLES });
        expect(template.errors).toEqual([]);
        expect(renderTemplate(template, given)).toEqual({
          text: expected,
          warnings: 'nobody' in given ? [expect.objectContaining({ name: 'nobody' })] : [],
        });
        seen.sections += parts.some(({ kind }) => kind === 'section') ? 1 : 0;
        seen.hostile += expected.includes('{{') && Object.keys(given).length > 0 ? 1 : 0;
        seen.long += expected.length > 100 ? 1 : 0;
      }),
      { numRuns: 10_000 },
    );
    expect(seen.sections).toBeGreaterThan(2000);
    expect(seen.hostile).toBeGreaterThan(1000);
    expect(seen.long).toBeGreaterThan(200);
  });

  it('comes to at most 1 MiB, or is refused for it', () => {
    const seen = { written: 0, refused: 0 };
    const big = fc
      .integer({ min: 0, max: 1000 })
      .chain((count) =>
        fc
          .integer({ min: 0, max: Math.floor(65_000 / Math.max(1, count)) })
          .map((size) => Array<string>(count).fill('x'.repeat(size))),
      );
    fc.assert(
      fc.property(partsOf(3, true), givenValues, big, big, (parts, given, items, others) => {
        const repeated = writeParts(inLists(parts), false);
        const source = { text: repeated, syntax: 'mustache-strict-1', variables: VARIABLES } as const;
        try {
          const output = renderTemplate(source, { ...given, items, hasOwnProperty: others });
          expect(sizeOf(output.text)).toBeLessThanOrEqual(1024 * 1024);
          seen.written += 1;
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error;
          expect(['output_too_long', 'too_many_repetitions']).toContain(error.problems[0]?.code);
          seen.refused += 1;
        }
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.written, seen.refused)).toBeGreaterThan(10);
  });
});
