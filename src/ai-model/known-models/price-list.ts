import type { ConditionalPrice, MatchLogic, ModelInfo, ModelPrice, Provider } from '@pydantic/genai-prices';
import { asContextWindow, asName, asPrice, factsFrom, type ModelFacts } from './model-facts.js';

/** A model of the price list: a rule says which names of the provider's it stands for. */
export interface PricedModel {
  /** A name that the provider knows. */
  name: string;
  facts: ModelFacts;
  /** The price depends on something, such as the length of the prompt or the time of day; given is the base price. */
  pricesVary: boolean;
  accepts(name: string): boolean;
}

/** What a price for such input says: that it is taken. */
const PRICED_INPUTS = {
  supports_images: 'input_image_mtok',
  supports_audio: 'input_audio_mtok',
  supports_videos: 'input_video_mtok',
} as const;

const matches = (rule: MatchLogic, name: string): boolean => {
  if ('or' in rule) return rule.or.some((part) => matches(part, name));
  if ('and' in rule) return rule.and.every((part) => matches(part, name));
  if ('regex' in rule) return new RegExp(rule.regex).test(name);
  const text = name.toLowerCase();
  if ('equals' in rule) return text === rule.equals.toLowerCase();
  if ('starts_with' in rule) return text.startsWith(rule.starts_with.toLowerCase());
  if ('ends_with' in rule) return text.endsWith(rule.ends_with.toLowerCase());
  // A rule of a kind that is not known yet stands for nothing.
  return 'contains' in rule && text.includes(rule.contains.toLowerCase());
};

const namesIn = (rule: MatchLogic): string[] => {
  if ('or' in rule) return rule.or.flatMap(namesIn);
  return 'equals' in rule ? [rule.equals] : [];
};

/** The list's own ids are no names where their rule does not accept them, or where they are beginnings of names. */
const nameOf = ({ id, match }: ModelInfo): string | null => {
  const name = matches(match, id) ? id : namesIn(match)[0];
  return name === undefined || /[.:-]$/.test(name) ? null : asName(name);
};

const hasTiers = (price: ModelPrice[string]): boolean => typeof price === 'object';
const baseOf = (price: ModelPrice[string]): number | null => asPrice(typeof price === 'object' ? price.base : price);

/** The last price that is in force, without those of certain hours. */
const pricesInForce = (prices: ConditionalPrice[], today: string): ModelPrice =>
  prices.findLast(({ constraint }) => !constraint || ('start_date' in constraint && constraint.start_date <= today))
    ?.prices ?? {};

const isHourly = ({ constraint }: ConditionalPrice): boolean => constraint?.type === 'time_of_date';

const toPricedModel = (model: ModelInfo, today: string): PricedModel | null => {
  const name = nameOf(model);
  if (name === null) return null;
  const isConditional = Array.isArray(model.prices);
  const prices = isConditional
    ? pricesInForce(model.prices as ConditionalPrice[], today)
    : (model.prices as ModelPrice);
  const { input_mtok: input, cache_read_mtok: cached, output_mtok: output } = prices;
  const media = Object.entries(PRICED_INPUTS).map(([field, key]) => [field, prices[key] === undefined ? null : true]);
  return {
    name,
    pricesVary:
      [input, cached, output].some(hasTiers) || (isConditional && (model.prices as ConditionalPrice[]).some(isHourly)),
    accepts: (other) => matches(model.match, other),
    facts: factsFrom({
      display_name: asName(model.name),
      context_window: asContextWindow(model.context_window),
      input_price_per_million: baseOf(input),
      cached_input_price_per_million: baseOf(cached),
      output_price_per_million: baseOf(output),
      ...(Object.fromEntries(media) as Partial<ModelFacts>),
    }),
  };
};

/** The models of a provider of the list, in its order, with the prices in force at `now`. */
export const pricedModelsOf = ({ models }: Provider, now = new Date()): PricedModel[] => {
  const today = now.toISOString().slice(0, 10);
  return models.map((model) => toPricedModel(model, today)).filter((model) => model !== null);
};
