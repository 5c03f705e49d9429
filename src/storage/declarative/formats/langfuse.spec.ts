import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { compileTemplate } from '../../../platform/template/template.js';
import { renderTemplate } from '../../../platform/template/render.js';
import { readLangfuse } from './langfuse.js';
import { convertText } from './langfuse-text.js';

type Fields = Record<string, unknown>;

const read = (...versions: Fields[]): ReturnType<typeof readLangfuse> => readLangfuse({ data: versions });
const aVersion = (fields: Fields = {}): Fields => ({
  name: 'p',
  version: 1,
  prompt: 'text',
  labels: [],
  tags: [],
  ...fields,
});
const promptsOf = (...versions: Fields[]): Fields[] => (read(...versions).prompts ?? []).map(({ fields }) => fields);
const reportOf = (...versions: Fields[]): string[] =>
  read(...versions).report.map(({ level, path }) => `${level} ${path}`);

const render = (text: string, values: Record<string, string>): string => {
  const { text: template, variables } = convertText(text);
  const declared = variables.map((name) => ({ name, type: 'text' as const }));
  const compiled = compileTemplate({ text: template, syntax: 'mustache-strict-1', variables: declared });
  expect(compiled.errors).toEqual([]);
  return renderTemplate(compiled, values).text;
};

describe('a text', () => {
  it.each([
    ['Hello {{name}}!', 'Hello N!', ['name']],
    ['{{ name }} {{name}}', 'N N', ['name']],
    ['{{客户名}}', 'N', ['客户名']],
    ['{{first name}} {{user.id}} {{x-y}}', 'N N N', ['first_name', 'user_id', 'x_y']],
    ['{"a": {"b": 1}}', '{"a": {"b": 1}}', []],
    ['{"a": {{b}}}', '{"a": N}', ['b']],
    ['{{{b}}}', '{ N}', ['b']],
    ['\\{{b}}', '\\N', ['b']],
    ['\\\\{{b}}', '\\\\N', ['b']],
    ['{{#section}} {{/section}} {{}} {{ }}', null, []],
    ['{{!}} {{123}} {{_}}', '{{!}} {{123}} {{_}}', []],
    ['{{unclosed', '{{unclosed', []],
    ['}} {{', '}} {{', []],
  ])('%j', (text, rendered, variables) => {
    const converted = convertText(text);
    const values = Object.fromEntries(converted.variables.map((name) => [name, 'N']));
    if (rendered !== null) {
      expect(converted.variables).toEqual(variables);
      expect(render(text, values)).toBe(rendered);
    } else {
      expect(render(text, values)).toContain('{{}}');
    }
  });

  it('is a template that renders, whatever is in it', () => {
    const pieces = fc.constantFrom('{', '}', '{{', '}}', '\\', 'a', ' ', '#', '/', '^', '.', '!', '\n', '名');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (all) => {
        const text = all.join('');
        const { variables } = convertText(text);
        render(text, Object.fromEntries(variables.map((name) => [name, 'V'])));
        if (!/\{\{\s*[^{}]+?\s*\}\}/.test(text)) expect(render(text, {})).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('prompts', () => {
  it('have their versions in order and from 1 on, and their labels at them', () => {
    const [prompt] = promptsOf(
      aVersion({ version: 7, prompt: 'seven', labels: ['production', 'latest'], tags: ['a'] }),
      aVersion({ version: 3, prompt: 'three', labels: ['staging'], commitMessage: 'why' }),
    );
    expect(prompt).toEqual({
      name: 'p',
      display_name: 'p',
      tags: { a: '' },
      labels: { staging: 1, production: 2 },
      versions: [
        { prompt_content: 'three', variables: [], message: 'why' },
        { prompt_content: 'seven', variables: [], message: '' },
      ],
    });
    expect(reportOf(aVersion({ version: 7 }), aVersion({ version: 3 }))).toEqual([
      'adapted data[1].version',
      'adapted data[0].version',
    ]);
  });

  it.each([
    ['Support / First Line', 'support-first-line'],
    ['客服', 'prompt'],
    ['.x.', 'x'],
    ['A'.repeat(150), 'a'.repeat(100)],
    ['a'.repeat(99) + '.b', 'a'.repeat(99)],
  ])('have a name of our form: %s', (name, expected) => {
    expect(promptsOf(aVersion({ name }))[0]).toMatchObject({ name: expected, display_name: name.slice(0, 120) });
  });

  it('that come to one name get numbers', () => {
    expect(
      promptsOf(aVersion({ name: 'A b' }), aVersion({ name: 'a-b' }), aVersion({ name: 'a b' })).map(
        ({ name }) => name,
      ),
    ).toEqual(['a-b', 'a-b-2', 'a-b-3']);
  });

  it.each([
    [
      {
        prompt: [
          { role: 'system', content: 'a' },
          { role: 'developer', content: 'b' },
        ],
      },
      'a\n\nb',
    ],
    [{ prompt: [{ type: 'chatmessage', role: 'system', content: 'a' }] }, 'a'],
  ])('of chats are their system messages: %j', (fields, content) => {
    expect(promptsOf(aVersion({ type: 'chat', ...fields }))[0]).toMatchObject({
      versions: [{ prompt_content: content }],
    });
  });

  it.each([
    [
      {
        prompt: [
          { role: 'system', content: 'a' },
          { role: 'user', content: 'b' },
        ],
      },
    ],
    [{ prompt: [{ type: 'placeholder', name: 'history' }] }],
    [{ prompt: [7] }],
    [{ prompt: [] }],
    [{ prompt: '' }],
    [{ prompt: { a: 1 } }],
    [{ prompt: null }],
    [{ prompt: 'Take @@@langfusePrompt:name=base|label=production@@@ too' }],
    [{ name: '' }],
    [{ name: 7 }],
    [{ name: undefined }],
  ])('are left out, and told: %j', (fields) => {
    expect(promptsOf(aVersion(fields))).toEqual([]);
    expect(reportOf(aVersion(fields))).toContain('unsupported data[0]');
  });

  it.each([
    [{ config: { model: 'gpt-4o' } }, 'unsupported data[0].config'],
    [{ invented: true }, 'unsupported data[0].invented'],
    [{ id: 'x' }, 'ignored data[0].id'],
    [{ labels: 'production' }, 'unsupported data[0].labels'],
    [{ labels: ['Über'] }, 'adapted data[0].labels'],
    [{ tags: ['has space in the first place ' + 'x'.repeat(80)] }, 'unsupported data[0].tags'],
    [{ prompt: '{{a b}}' }, 'adapted data[0].prompt'],
  ])('tell what is not as it was: %j', (fields, entry) => {
    expect(reportOf(aVersion(fields))).toContain(entry);
  });

  it('say nothing when there is nothing to say', () => {
    expect(
      reportOf(aVersion({ type: 'text', config: {}, labels: ['latest', 'production'], commitMessage: null })),
    ).toEqual([]);
  });

  it('are told beside what else the file has', () => {
    const { report } = readLangfuse({ data: [], meta: { page: 1 }, more: 1 });
    expect(report).toEqual([{ level: 'unsupported', path: 'more', message: 'has no counterpart here' }]);
    expect(() => readLangfuse({ data: [7] })).toThrow(/validation_failed/);
  });
});
