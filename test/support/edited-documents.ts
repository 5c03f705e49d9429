import * as fc from 'fast-check';
import { FIELD_CASES } from './config-fields.js';
import { aDocument, type HubDocument } from './declarative.js';

type Fields = Record<string, unknown>;

const ALIASES = ['a', 'b', 'c', 'd/e:1', 'F'];
const NAMES = ['p', 'q', 'r.s'];
const TEXTS = ['one', 'two {{name}}', 'three\nlines\n', 'four'];

const field = (name: string): fc.Arbitrary<[string, unknown]> => {
  const { set, other, initial, nullable } = FIELD_CASES[name] as (typeof FIELD_CASES)[string];
  return fc.constantFrom(set, other, initial, ...(nullable ? [null] : [])).map((value) => [name, value]);
};

const EDITED = Object.keys(FIELD_CASES).filter((name) => !/api_base|fallback|system_prompt/.test(name));

const secret = (): fc.Arbitrary<unknown> =>
  fc.constantFrom('sk-first-0123456789', 'sk-second-0123456789', null, { from_env: 'NOT_SENT' });

const model = (alias: string): fc.Arbitrary<Fields> =>
  fc
    .record({
      edits: fc.array(fc.constantFrom(...EDITED).chain(field), { maxLength: 4 }),
      whole: fc.boolean(),
      key: fc.option(secret(), { nil: undefined }),
      base: fc.constantFrom('http://127.0.0.1:18080/v1', 'http://127.0.0.1:18081/v1', undefined),
      prompt: fc.option(fc.constantFrom(...NAMES), { nil: undefined, freq: 6 }),
    })
    .map(({ edits, whole, key, base, prompt }) => ({
      alias,
      ...(whole && { provider: 'openai_compatible', model_name: 'm', api_base: 'http://127.0.0.1:18080/v1' }),
      ...(base !== undefined && { api_base: base }),
      ...(key !== undefined && { api_key: key }),
      ...(prompt !== undefined && { system_prompt_name: prompt, system_prompt_label: 'production' }),
      ...Object.fromEntries(edits),
    }));

/** The first is there from the beginning. */
const RULE_NAMES = ['error-rate', 'own', 'r.s'];
const RULE_EDITS: Fields[] = [
  { description: 'one' },
  { description: null },
  { is_enabled: false },
  { severity: 'info' },
  { scope: 'alias', scope_value: 'fast' },
  { scope: 'all', scope_value: null },
  { threshold: 5.5, min_calls: 3 },
  { threshold: null },
  { reminder_minutes: 60 },
  { channels: ['b', 'a'] },
  { channels: [] },
];
const WRONG_RULE_EDITS: Fields[] = [{ kind: 'bad_credential' }, { kind: undefined }, { threshold: 500 }];

const rule = (name: string): fc.Arbitrary<Fields> =>
  fc
    .tuple(
      fc.array(fc.constantFrom(...RULE_EDITS), { maxLength: 3 }),
      fc.oneof({ weight: 15, arbitrary: fc.constant<Fields>({}) }, fc.constantFrom(...WRONG_RULE_EDITS)),
    )
    .map(([edits, wrong]) => ({ name, kind: 'error_rate', ...Object.assign({}, ...edits), ...wrong }) as Fields);

const version = (): fc.Arbitrary<Fields> =>
  fc.constantFrom(...TEXTS).map((prompt_content) => ({
    prompt_content,
    variables: prompt_content.includes('{{') ? [{ name: 'name', type: 'text', default: 'x' }] : [],
  }));

const prompt = (name: string): fc.Arbitrary<Fields> =>
  fc
    .record({
      versions: fc.option(fc.array(version(), { minLength: 1, maxLength: 4 }), { nil: undefined, freq: 6 }),
      label: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      priority: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
      isActive: fc.constantFrom(true, true, false, undefined),
    })
    .map(({ versions, label, priority, isActive }) => ({
      name,
      ...(versions && { versions }),
      ...(label !== undefined && { labels: { production: Math.min(label, versions?.length ?? label) } }),
      ...(priority !== undefined && { priority }),
      ...(isActive !== undefined && { is_active: isActive }),
    }));

const some = (names: string[], of: (name: string) => fc.Arbitrary<Fields>): fc.Arbitrary<Fields[] | undefined> =>
  fc.option(
    fc.subarray(names).chain((chosen) => fc.tuple(...chosen.map(of))),
    { nil: undefined, freq: 5 },
  );

/** A document about a few models, prompts and alert rules, mostly one that can be applied. */
export const anEditedDocument = (): fc.Arbitrary<HubDocument> =>
  fc
    .record({ models: some(ALIASES, model), prompts: some(NAMES, prompt), rules: some(RULE_NAMES, rule) })
    .map(({ models, prompts, rules }) =>
      aDocument({ ...(models && { models }), ...(prompts && { prompts }), ...(rules && { alert_rules: rules }) }),
    );
