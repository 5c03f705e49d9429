import type { ModelConfigView } from '../../contract/model-config-view.contract.js';

/** The config fields that a model's maker or provider decides, and not the user. */
export const FACT_FIELDS = [
  'display_name',
  'context_window',
  'max_tokens',
  'input_price_per_million',
  'cached_input_price_per_million',
  'output_price_per_million',
  'supports_images',
  'supports_files',
  'supports_audio',
  'supports_videos',
] as const satisfies readonly (keyof ModelConfigView)[];

export type FactField = (typeof FACT_FIELDS)[number];

/**
 * What is known of a model, under the names of the config's fields; null: not known, never guessed. Tokens; US dollars per
 * million tokens. Every value is one that a config can hold.
 */
export type ModelFacts = { [Field in FactField]: ModelConfigView[Field] | null };

/** What is known; the rest is not. */
export const factsFrom = (known: Partial<ModelFacts>): ModelFacts => ({
  display_name: known.display_name ?? null,
  context_window: known.context_window ?? null,
  max_tokens: known.max_tokens ?? null,
  input_price_per_million: known.input_price_per_million ?? null,
  cached_input_price_per_million: known.cached_input_price_per_million ?? null,
  output_price_per_million: known.output_price_per_million ?? null,
  supports_images: known.supports_images ?? null,
  supports_files: known.supports_files ?? null,
  supports_audio: known.supports_audio ?? null,
  supports_videos: known.supports_videos ?? null,
});

export const NO_FACTS: Readonly<ModelFacts> = factsFrom({});

export const hasFacts = (facts: ModelFacts): boolean => FACT_FIELDS.some((field) => facts[field] !== null);

/** The limits of the config's fields: what lies beyond them is no fact. */
const MAX_CONTEXT_WINDOW = 100_000_000;
const MAX_OUTPUT_TOKENS = 10_000_000;
const MAX_PRICE = 1_000_000;
/** As precise as the database. */
const PRICE_STEPS = 1_000_000;
const NAME = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

const wholeUpTo = (value: unknown, max: number): number | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max ? value : null;

export const asContextWindow = (value: unknown): number | null => wholeUpTo(value, MAX_CONTEXT_WINDOW);
export const asMaxTokens = (value: unknown): number | null => wholeUpTo(value, MAX_OUTPUT_TOKENS);

/** Dollars per million tokens, of a price for `tokens` tokens, which some write as text. */
export const asPrice = (value: unknown, tokens = 1_000_000): number | null => {
  const dollars = typeof value === 'string' && /^\d{1,12}(?:\.\d{1,20})?$/.test(value) ? Number(value) : value;
  if (typeof dollars !== 'number' || !(dollars >= 0)) return null;
  const price = Math.round((dollars / tokens) * 1_000_000 * PRICE_STEPS) / PRICE_STEPS;
  return price <= MAX_PRICE ? price : null;
};

/** A model's name, for machines or for people: one line of at most 200 characters. */
export const asName = (value: unknown): string | null => (typeof value === 'string' && NAME.test(value) ? value : null);
