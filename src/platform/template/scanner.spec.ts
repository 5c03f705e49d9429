import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { renderTemplate } from './render.js';
import { escapeTemplate } from './scanner.js';
import { compileTemplate, type CompiledTemplate } from './template.js';

const compile = (text: string): CompiledTemplate =>
  compileTemplate({ text, syntax: 'mustache-strict-1', variables: [{ name: 'a', type: 'string' }] });
const render = (text: string): string => renderTemplate(compile(text), { a: 'V' }).text;

describe('backslashes', () => {
  it.each([
    ['{{a}}', 'V'],
    ['\\{{a}}', '{{a}}'],
    ['\\\\{{a}}', '\\V'],
    ['\\\\\\{{a}}', '\\{{a}}'],
    ['\\\\\\\\{{a}}', '\\\\V'],
    ['\\{{{a}}', '{{{a}}'],
    ['\\{{{{a}}', '{{V'],
    ['\\{{\\{{a}}', '{{{{a}}'],
    ['{{a}}\\{{a}}\\\\{{a}}', 'V{{a}}\\V'],
    ['\\{{}}{{a}}', '{{}}V'],
  ])('directly before two braces: %s', (text, expected) => {
    expect(render(text)).toBe(expected);
  });

  it.each(['\\', '\\\\', '\\n\\\\n', '\\{a}', '\\\\{', '\\}}', 'C:\\\\dir\\', '\\ {'])(
    'anywhere else stay: %s',
    (text) => {
      expect(render(text)).toBe(text);
    },
  );
});

describe('escapeTemplate', () => {
  it.each([
    ['', ''],
    ['{', '{'],
    ['}}', '}}'],
    ['{{', '\\{{'],
    ['{{{', '\\{{{'],
    ['{{{{', '\\{{\\{{'],
    ['\\{{', '\\\\\\{{'],
    ['\\\\', '\\\\'],
    ['{\\{{a}}', '{\\\\\\{{a}}'],
  ])('writes %j as %j', (text, template) => {
    expect(escapeTemplate(text)).toBe(template);
  });

  it('is undone by rendering, whatever the text', () => {
    const nasty = fc.string({
      unit: fc.constantFrom('{', '{{', '}', '}}', '\\', '#', '/', '!', '.', 'a', '\n', '\r\n', '客', '\ud83d'),
    });
    fc.assert(
      fc.property(fc.oneof(nasty, fc.string({ unit: 'binary' })), (text) => {
        const { errors } = compile(escapeTemplate(text));
        expect(errors).toEqual([]);
        expect(render(escapeTemplate(text))).toBe(text);
      }),
      { numRuns: 10_000 },
    );
  });

  it('leaves a text without double braces as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{ ', '} ', '\\', 'a') }), (text) => {
        expect(escapeTemplate(text)).toBe(text);
      }),
    );
  });
});

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** What a string function looked at, in characters, as far as that can be seen from outside. */
const COSTS: Record<string, (text: string, args: unknown[], result: unknown) => number> = {
  indexOf: (text, [, from], found) => (found === -1 ? text.length : (found as number)) - ((from as number) ?? 0),
  slice: (_text, _args, part) => (part as string).length,
  trim: (text) => text.length,
  normalize: (text) => text.length,
  codePointAt: () => 0,
  charCodeAt: () => 0,
};

/** Counts instead of measuring time: a call is one step, and so is every character it looks at. */
const countSteps = (work: () => void): number => {
  let steps = 0;
  const functions = String.prototype as unknown as Record<string, AnyFunction>;
  const originals = Object.keys(COSTS).map((name) => [name, functions[name] as AnyFunction] as const);
  for (const [name, original] of originals) {
    functions[name] = function (...args) {
      const result = original.apply(this, args);
      steps += 1 + (COSTS[name]?.(this as string, args, result) ?? 0);
      return result;
    };
  }
  const patterns = RegExp.prototype as unknown as { test: AnyFunction };
  const matches = patterns.test;
  patterns.test = function (...args) {
    steps += String(args[0]).length;
    return matches.apply(this, args);
  };
  try {
    work();
  } finally {
    patterns.test = matches;
    for (const [name, original] of originals) functions[name] = original;
  }
  return steps;
};

describe('the work of reading a text', () => {
  it.each([
    ['values', '{{a}}'],
    ['open braces', '{{'],
    ['open braces with blanks', '{{ '],
    ['open braces in one tag', '{{ ', '}}'],
    ['open braces behind a note', '{{', '}}', '{{!'],
    ['single braces', '{'],
    ['closing braces', '}}'],
    ['closing braces before a tag', '}', '{{a}}'],
    ['backslashes', '\\'],
    ['backslashes before braces', '\\', '{{a}}'],
    ['escaped braces', '\\{{'],
    ['escaped braces before an open tag', '\\{{', '{{'],
    ['backslashes and braces in turn', '\\\\\\{{ '],
    ['sections', '{{#a}}{{/a}}'],
    ['sections inside each other', '{{#a}}'],
    ['ends', '{{/a}}'],
    ['a name without end', 'a', '}}', '{{'],
    ['blanks in a tag', ' ', '}}', '{{a'],
    ['marks in the wrong order', '\u0301\u0316', '}}', '{{a'],
    ['line breaks before an error', '\r\n', '{{1}}'],
    ['errors', '{{1}}'],
    ['emoji', '😀', '{{'],
  ])('grows with its length and nothing else: %s', (_name, part, end = '', start = '') => {
    const stepsFor = (length: number): number => {
      const text = start + part.repeat(length / part.length) + end;
      return countSteps(() => compile(text));
    };
    const [small, large] = [stepsFor(20_000), stepsFor(80_000)];
    expect(large).toBeLessThanOrEqual(8 * 80_000);
    expect(large).toBeLessThanOrEqual(4 * small + 1000);
  });

  it('is counted by a counter that sees quadratic work', () => {
    const quadratic = (text: string): void => {
      for (let at = 0; at < text.length; at += 1) text.indexOf('}}', at);
    };
    expect(countSteps(() => quadratic('{'.repeat(1000)))).toBeGreaterThan(400_000);
  });
});
