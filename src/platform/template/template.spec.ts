import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { PromptVariable } from '../../contract/prompt-variables.js';
import { compileTemplate, validateTemplate, type TemplateReport } from './template.js';

const KIBIBYTE = 1024;
const VARIABLES: PromptVariable[] = [
  { name: 'name', type: 'string' },
  { name: '客户名', type: 'text' },
  { name: 'formal', type: 'boolean' },
  { name: 'items', type: 'string[]' },
  { name: 'tier', type: 'enum', options: ['a'] },
  { name: 'due', type: 'date' },
  { name: 'age', type: 'integer' },
  { name: 'ratio', type: 'number' },
];

const validate = (text: string, variables = VARIABLES): TemplateReport =>
  validateTemplate({ text, syntax: 'mustache-strict-1', variables });
/** Every error as `line:column code name`. */
const errorsOf = (text: string): string[] =>
  validate(text).errors.map(({ line, column, code, name }) => `${line}:${column} ${code}${name ? ` ${name}` : ''}`);
const codesOf = (text: string): string[] => validate(text).errors.map(({ code }) => code);

describe('what is taken', () => {
  it.each([
    ['a value', '{{name}}{{ name }}{{\u3000客户名\n}}'],
    ['a section', '{{#formal}}a{{/formal}}{{# formal }}b{{/ formal }}{{ ^formal }}c{{ /formal }}'],
    [
      'a section over whatever can be empty',
      '{{#name}}{{/name}}{{#客户名}}{{/客户名}}{{#tier}}{{/tier}}{{^due}}{{/due}}',
    ],
    ['a list', '{{#items}}- {{.}}\n{{/items}}{{^items}}none{{/items}}'],
    ['an item further in', '{{#items}}{{#formal}}{{ . }}{{/formal}}{{^items}}{{.}}{{/items}}{{/items}}'],
    ['five levels', '{{#formal}}'.repeat(5) + '{{/formal}}'.repeat(5)],
    ['notes', '{{! a note, } with } and # . | }}{{!}}{{!\n}}'],
    ['escaped braces', '\\{{name}} \\{{#if}} \\{{{{name}} \\\\{{name}}'],
    ['single braces', '{name} {{name}}} } }} { {a} ${name} {% if %} {#name}'],
    ['nothing', ''],
  ])('%s', (_name, text) => {
    expect(errorsOf(text)).toEqual([]);
  });

  it('JSON, whole and with values in it', () => {
    const json = JSON.stringify({ a: { b: [{ c: {} }, [[]]] }, 'd}}': ['}}', '{}'] }, null, 1);
    expect(errorsOf(json)).toEqual([]);
    expect(errorsOf(JSON.stringify({ a: { b: { c: {} } } }))).toEqual([]);
    expect(errorsOf('{"name": "{{name}}", "nested": {"due": {{due}}}}')).toEqual([]);
  });

  it('256 KiB in UTF-8', () => {
    expect(errorsOf('客'.repeat(87_381) + 'x')).toEqual([]);
    expect(errorsOf('客'.repeat(87_381) + 'xy')).toEqual(['1:1 text_too_long']);
    expect(validateTemplate({ text: 'x'.repeat(256 * KIBIBYTE + 1), syntax: 'plain', variables: [] }).errors).toEqual([
      { line: 1, column: 1, code: 'text_too_long', message: 'The text must have at most 262144 bytes.', name: null },
    ]);
  });
});

describe('what is refused', () => {
  it.each([
    '{{{name}}}',
    '{{&name}}',
    '{{=<% %>=}}',
    '{{>name}}',
    '{{name.first}}',
    '{{.name}}',
    '{{#.}}',
    '{{name|upper}}',
    '{{name | upper}}',
    '{{name()}}',
    '{{"name"}}',
    '{{7*7}}',
    '{{@root}}',
    '{{$name}}',
    '{{../name}}',
    '{{#if (name)}}',
    '{{else if x=1}}',
    '{{客户名。}}',
    '{{na\u200bme}}',
    '{{##name}}',
    '{{name{}}',
    '{{{{name}}}}',
  ])('%s: nothing of this language', (text) => {
    expect(codesOf(text)).toContain('unknown_syntax');
  });

  it.each([
    '{{}}',
    '{{ }}',
    '{{#}}',
    '{{/ }}',
    '{{1a}}',
    '{{_a}}',
    '{{__proto__}}',
    '{{first-name}}',
    '{{first name}}',
    '{{#if name}}',
    `{{${'a'.repeat(65)}}}`,
    `{{${'a'.repeat(100_000)}}}`,
    '{{नमस्ते}}',
  ])('%s: no name', (text) => {
    expect(codesOf(text)).toEqual(['bad_name']);
  });

  it.each([
    ['{{name', ['1:1 unclosed_tag']],
    ['{{', ['1:1 unclosed_tag']],
    ['a {{name} b', ['1:3 unclosed_tag']],
    ['{{name and {{name}}', ['1:1 unclosed_tag']],
    ['{{! use {{name}} here }}', ['1:1 unclosed_tag']],
    ['{{a {{b {{c', ['1:1 unclosed_tag', '1:5 unclosed_tag', '1:9 unclosed_tag']],
    ['\\\\{{name', ['1:3 unclosed_tag']],
  ])('%s: not closed', (text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });

  it.each([
    ['{{#formal}}a', ['1:1 section_not_closed formal']],
    ['a{{/formal}}', ['1:2 section_mismatch formal']],
    ['{{#formal}}{{/name}}', ['1:1 section_not_closed formal', '1:12 section_mismatch name']],
    // The one that is closed further out is not to blame.
    ['{{#formal}}{{#name}}{{/formal}}', ['1:12 section_not_closed name']],
    ['{{#formal}}{{^name}}{{/formal}}{{/name}}', ['1:12 section_not_closed name', '1:32 section_mismatch name']],
    ['{{#formal}}{{#formal}}{{/formal}}', ['1:1 section_not_closed formal']],
    ['{{/formal}}{{#formal}}', ['1:1 section_mismatch formal', '1:12 section_not_closed formal']],
    ['{{#formal}}'.repeat(6) + '{{/formal}}'.repeat(6), ['1:56 too_deep']],
    ['{{^formal}}'.repeat(7) + '{{/formal}}'.repeat(7), ['1:56 too_deep', '1:67 too_deep']],
  ])('%s', (text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });

  it.each([
    ['{{.}}', ['1:1 item_outside_section']],
    ['{{#formal}}{{.}}{{/formal}}', ['1:12 item_outside_section']],
    ['{{^items}}{{.}}{{/items}}', ['1:11 item_outside_section']],
    ['{{#items}}{{/items}}{{.}}', ['1:21 item_outside_section']],
    ['{{items}}', ['1:1 list_outside_section items']],
    ['{{#items}}{{items}}{{/items}}', ['1:11 list_outside_section items']],
    ['{{#age}}{{age}}{{/age}}', ['1:1 section_over_number age']],
    ['{{^ratio}}{{/ratio}}', ['1:1 section_over_number ratio']],
  ])('%s: not with a variable of this type', (text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });

  it('names every undeclared variable where it is first used, and does not complain of its items too', () => {
    const text = '{{name}} {{nmae}}\n{{#list}}{{.}}{{other}}{{/list}}{{nmae}}{{constructor}}';
    expect(errorsOf(text)).toEqual([
      '1:10 undeclared_variable nmae',
      '2:1 undeclared_variable list',
      '2:15 undeclared_variable other',
      '2:41 undeclared_variable constructor',
    ]);
  });

  it('gives each error a sentence that says what would be right', () => {
    const text = '{{a.b}}{{nmae}}{{1}}{{items}}{{#age}}{{/age}}{{.}}{{/tier}}{{#formal}}{{';
    expect(validate(text).errors.map(({ message }) => message)).toEqual([
      'Between "{{" and "}}" there must be a name, "#name", "^name", "/name", "." or "! a note": there are no filters, paths, calls, partials or other delimiters. Two literal braces are written "\\{{".',
      '"nmae" must be declared as a variable.',
      'A name must be a letter followed by up to 63 letters, digits or underscores.',
      '"items" is a list: its entries are written "{{#items}}{{.}}{{/items}}", with what belongs between them.',
      '"age" is a number, which is neither true nor empty: a section must be over another type, such as a boolean beside it.',
      '"{{.}}" must stand inside a section over a variable of type string[].',
      '"{{/tier}}" must close a section that "{{#tier}}" or "{{^tier}}" opened.',
      'This section must be closed by "{{/formal}}", inside the section around it.',
      'This "{{" must be closed by "}}" before the next "{{"; two literal braces are written "\\{{".',
    ]);
  });

  it('takes 64 variables and not one more, whether they are declared or not', () => {
    const names = Array.from({ length: 70 }, (_, index) => `v${index}`);
    const variables = names.map((name): PromptVariable => ({ name, type: 'text' }));
    const text = (count: number): string =>
      names
        .slice(0, count)
        .map((name) => `{{${name}}}`)
        .join('\n');
    expect(validate(text(64), variables)).toEqual({
      errors: [],
      warnings: expect.any(Array),
      variables: names.slice(0, 64),
    });
    const report = validate(text(70), variables);
    expect(report.errors).toEqual([
      {
        line: 65,
        column: 1,
        code: 'too_many_variables',
        message: 'The text must use at most 64 variables.',
        name: null,
      },
    ]);
    expect(report.variables).toEqual(names.slice(0, 64));
    expect(validate(text(70), []).errors).toHaveLength(50);
  });

  it.each([
    ['tags of another language', '{{a.b}}'],
    ['open braces', '{{ '],
    ['ends of nothing', '{{/name}}'],
    ['sections', '{{#formal}}'],
    ['unknown names', Array.from({ length: 60 }, (_, index) => `{{u${index}}}`).join('')],
  ])('stops after fifty errors: %s', (_name, part) => {
    expect(validate(part.repeat(20_000).slice(0, 256 * KIBIBYTE)).errors).toHaveLength(50);
  });

  it('does not read a language it does not know', () => {
    const report = validateTemplate({ text: '{{name}}', syntax: 'mustache-strict-2' as never, variables: VARIABLES });
    expect(report.errors).toEqual([
      {
        line: 1,
        column: 1,
        code: 'syntax_not_supported',
        message: 'The syntax must be one of plain, mustache-strict-1.',
        name: null,
      },
    ]);
  });
});

describe('where an error is', () => {
  it.each([
    ['after LF', 'a\nb\n {{1}}', '3:2'],
    ['after CRLF', 'a\r\nb\r\n {{1}}', '3:2'],
    ['after CR', 'a\rb\r {{1}}', '3:2'],
    ['after all of them', '\n\r\r\n\n\r{{1}}', '6:1'],
    ['at the very end of a line', 'ab{{1}}\r\n', '1:3'],
    ['after a Chinese text', '客户名：{{1}}', '1:5'],
    ['after an emoji, one code point', '😀😀{{1}}', '1:3'],
    ['after an emoji of several code points', '👩‍👩‍👧{{1}}', '1:6'],
    ['after a combining mark', 'e\u0301{{1}}', '1:3'],
    ['after half a surrogate pair', '\ud83d{{1}}\ude00{{2}}', '1:2'],
    ['after a byte order mark', '\ufeff{{1}}', '1:2'],
    ['after U+2028, which ends no line', 'a\u2028{{1}}', '1:3'],
    ['after a tag over several lines', '{{\nname\n}} {{1}}', '3:4'],
    ['after backslashes', '\\\\{{1}}', '1:3'],
  ])('%s', (_name, text, place) => {
    expect(errorsOf(text)[0]).toBe(`${place} bad_name`);
  });

  it('is found by splitting the text before it into lines, whatever is in it', () => {
    const filling = fc.string({ unit: fc.constantFrom('a', '客', '😀', '\n', '\r', '\r\n', ' ', '}', 'e\u0301') });
    fc.assert(
      fc.property(fc.array(filling, { minLength: 1, maxLength: 8 }), (parts) => {
        const text = parts.map((part) => `${part}{{1}}`).join('');
        const places = parts.map((_, index) => {
          const before = parts.slice(0, index + 1).join('{{1}}');
          const lines = before.split(/\r\n|\r|\n/);
          return `${lines.length}:${[...(lines.at(-1) ?? '')].length + 1} bad_name`;
        });
        expect(errorsOf(text)).toEqual(places);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('names', () => {
  const composed = 'café';
  const decomposed = 'cafe\u0301';

  it('are the same in every spelling, in the text and in the declaration', () => {
    const report = validate(`{{${composed}}}{{${decomposed}}}`, [{ name: decomposed, type: 'text' }]);
    expect(report).toEqual({ errors: [], warnings: [], variables: [composed] });
    expect(codesOf(`{{#formal}}{{^items}}{{/items}}{{/formal}}`)).toEqual([]);
    const section = validate(`{{#${decomposed}}}{{/${composed}}}`, [{ name: composed, type: 'boolean' }]);
    expect(section.errors).toEqual([]);
  });

  it('are listed in the order of first use, declared or not', () => {
    expect(validate('{{#items}}{{.}}{{name}}{{/items}}{{客户名}}{{x}}{{name}}').variables).toEqual([
      'items',
      'name',
      '客户名',
      'x',
    ]);
  });

  it('of the prototype are names like any other', () => {
    const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'isPrototypeOf', 'prototype'];
    const text = names.map((name) => `{{${name}}}`).join('');
    expect(errorsOf(text)).toEqual(names.map((name) => expect.stringContaining(`undeclared_variable ${name}`)));
    const variables = names.map((name): PromptVariable => ({ name, type: 'text' }));
    expect(validate(text, variables).errors).toEqual([]);
  });
});

describe('warnings', () => {
  it('name what is declared and not used, once the text has no errors', () => {
    const variables: PromptVariable[] = [
      { name: 'used', type: 'text' },
      { name: 'cafe\u0301', type: 'text' },
      { name: '多余', type: 'text' },
    ];
    expect(validate('{{used}} 多余 \\{{多余}} {{! {多余} }}', variables).warnings).toEqual([
      { code: 'unused_variable', name: 'café', message: '"café" is declared, but the text does not use it.' },
      { code: 'unused_variable', name: '多余', message: '"多余" is declared, but the text does not use it.' },
    ]);
    expect(validate('{{used', variables).warnings).toEqual([]);
  });

  it('of a plain text: it uses nothing', () => {
    const report = validateTemplate({
      text: '{{name}}{{#',
      syntax: 'plain',
      variables: [{ name: 'name', type: 'text' }],
    });
    expect(report).toEqual({ errors: [], warnings: [expect.objectContaining({ name: 'name' })], variables: [] });
  });
});

describe('any text', () => {
  const unit = fc.constantFrom(
    '{{',
    '}}',
    '{',
    '}',
    '\\',
    '#',
    '^',
    '/',
    '!',
    '.',
    ' ',
    '\n',
    'name',
    'items',
    'formal',
    '客',
    '😀',
  );

  it('is read without failing; errors are in its order, inside it, and as many as there may be', () => {
    let good = 0;
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        const { errors } = compileTemplate({ text, syntax: 'mustache-strict-1', variables: VARIABLES });
        const lines = text.split('\n');
        good += errors.length === 0 ? 1 : 0;
        expect(errors.length).toBeLessThanOrEqual(50);
        for (const { line, column } of errors)
          expect([...(lines[line - 1] as string)].slice(column - 1, column + 1)).toEqual(['{', '{']);
        const places = errors.map(({ line, column }) => line * 1000 + column);
        expect(places).toEqual([...places].sort((one, other) => one - other));
      }),
      { numRuns: 5000 },
    );
    expect(good).toBeGreaterThan(500);
  });
});
