import { describe, expect, it } from '@jest/globals';
import { variablesProblem, type PromptVariable } from '../../contract/prompt-variables.js';
import { INJECTIONS } from './injection-corpus.spec-data.js';
import { renderTemplate } from './render.js';
import { validateTemplate } from './template.js';

const WITH_BRACES = INJECTIONS.filter((text) => text.includes('{{'));
const WITHOUT_BRACES = INJECTIONS.filter((text) => !text.includes('{{'));

const VARIABLES: PromptVariable[] = [
  { name: 'value', type: 'text' },
  { name: 'list', type: 'string[]' },
  { name: 'constructor', type: 'text' },
];
const render = (text: string, values: Record<string, unknown>, variables = VARIABLES): string =>
  renderTemplate({ text, syntax: 'mustache-strict-1', variables }, values).text;

describe('a hostile text', () => {
  it.each(WITH_BRACES)('is refused as a template: %j', (text) => {
    const { errors } = validateTemplate({ text: `Hello\n${text}`, syntax: 'mustache-strict-1', variables: [] });
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.every(({ line }) => line === 2)).toBe(true);
    expect(() => render(text, {}, [])).toThrow(errors[0]?.message);
  });

  it.each(WITHOUT_BRACES)('means nothing as a template: %j', (text) => {
    expect(render(text, {})).toBe(text);
  });

  it.each(INJECTIONS)('is inert as a value, as a default and as a plain prompt: %j', (text) => {
    expect(render('[{{value}}]{{#value}}{{value}}{{/value}}', { value: text })).toBe(`[${text}]${text}`);
    expect(render('{{#list}}{{.}}{{#value}}{{.}}{{/value}},{{/list}}', { list: [text, 'x'], value: text })).toBe(
      `${text}${text},xx,`,
    );
    expect(render('{{value}}', {}, [{ name: 'value', type: 'text', default: text }])).toBe(text);
    expect(renderTemplate({ text, syntax: 'plain', variables: [] }, { value: 'x' }).text).toBe(text);
    // Two values that would be a tag side by side.
    expect(render('{{value}}{{constructor}}', { value: '{{', constructor: `${text}}}` })).toBe(`{{${text}}}`);
  });

  it.each(INJECTIONS)('is no name, and as the key of a value it reaches nothing: %j', (text) => {
    expect(variablesProblem([{ name: text, type: 'text' }])).toEqual([
      expect.objectContaining({ field: 'variables[0].name' }),
    ]);
    expect(render('{{value}}', { [text]: 'evil', value: 'good' })).toBe('good');
  });
});

describe('the corpus', () => {
  it('changes nothing outside', () => {
    for (const key of ['polluted', 'name', 'value', 'evil']) {
      expect(Object.hasOwn(Object.prototype, key)).toBe(false);
    }
    expect(WITH_BRACES.length).toBeGreaterThan(80);
    expect(WITHOUT_BRACES.length).toBeGreaterThan(10);
  });
});
