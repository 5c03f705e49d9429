import { describe, expect, it } from '@jest/globals';
import type { ModelInfo } from '@pydantic/genai-prices';
import { type PricedModel, pricedModelsOf } from './price-list.js';

const NOW = new Date('2026-06-15T12:00:00Z');

const listOf = (...models: ModelInfo[]): PricedModel[] =>
  pricedModelsOf({ id: 'maker', name: 'Maker', api_pattern: 'https://maker', models }, NOW);

const priced = (fields: Partial<ModelInfo> = {}): PricedModel | undefined =>
  listOf({ id: 'm-1', match: { equals: 'm-1' }, prices: {}, ...fields })[0];

describe('a model of the price list', () => {
  it('has its facts under the names of config fields, and null for all others', () => {
    const model = priced({
      name: 'Model One',
      context_window: 128_000,
      prices: { input_mtok: 0.15, cache_read_mtok: 0.075, output_mtok: 0.6, web_searches_kcount: 10 },
    });
    expect(model).toMatchObject({ name: 'm-1', pricesVary: false });
    expect(model?.facts).toEqual({
      display_name: 'Model One',
      context_window: 128_000,
      max_tokens: null,
      input_price_per_million: 0.15,
      cached_input_price_per_million: 0.075,
      output_price_per_million: 0.6,
      supports_images: null,
      supports_files: null,
      supports_audio: null,
      supports_videos: null,
    });
  });

  it('has no price where none is given, which is not free', () => {
    expect(priced()?.facts.input_price_per_million).toBeNull();
    expect(priced({ prices: { input_mtok: 0 } })?.facts.input_price_per_million).toBe(0);
  });

  it('has the base of a tiered price, and says that there is more to it', () => {
    const tiered = { base: 5, tiers: [{ start: 272_000, price: 10 }] };
    const model = priced({ prices: { input_mtok: tiered, output_mtok: 30 } as unknown as ModelInfo['prices'] });
    expect(model?.facts).toMatchObject({ input_price_per_million: 5, output_price_per_million: 30 });
    expect(model?.pricesVary).toBe(true);
  });

  it('has the price in force that day, whatever the hour', () => {
    const model = priced({
      prices: [
        { prices: { input_mtok: 1 } },
        { constraint: { type: 'start_date', start_date: '2026-06-01' }, prices: { input_mtok: 2 } },
        { constraint: { type: 'start_date', start_date: '2026-07-01' }, prices: { input_mtok: 3 } },
        {
          constraint: { type: 'time_of_date', start_time: '11:00:00Z', end_time: '13:00:00Z' },
          prices: { input_mtok: 4 },
        },
      ],
    });
    expect(model?.facts.input_price_per_million).toBe(2);
    expect(model?.pricesVary).toBe(true);
  });

  it('does not vary because its price was another one before', () => {
    const model = priced({
      prices: [
        { prices: { input_mtok: 1 } },
        { constraint: { type: 'start_date', start_date: '2026-06-01' }, prices: { input_mtok: 2 } },
      ],
    });
    expect(model?.pricesVary).toBe(false);
  });

  it('takes what its provider sells by the token: audio, images, videos', () => {
    const facts = priced({ prices: { input_mtok: 1, input_audio_mtok: 3, input_video_mtok: 4 } })?.facts;
    expect(facts).toMatchObject({ supports_audio: true, supports_videos: true, supports_images: null });
  });

  it('goes by a name that the provider knows, not by an id of the list', () => {
    const names = listOf(
      { id: 'codestral', match: { or: [{ equals: 'codestral-latest' }, { equals: 'codestral-2501' }] }, prices: {} },
      { id: 'ft:m-1', match: { starts_with: 'ft:m-1-2024-' }, prices: {} },
      { id: 'ft:m-2-', match: { starts_with: 'ft:m-2-' }, prices: {} },
      { id: 'M-3', match: { equals: 'm-3' }, prices: {} },
      { id: 'two\nlines', match: { contains: 'lines' }, prices: {} },
    ).map(({ name }) => name);
    expect(names).toEqual(['codestral-latest', 'M-3']);
  });

  it.each([
    [{ equals: 'a' }, 'A', true],
    [{ equals: 'a' }, 'ab', false],
    [{ starts_with: 'a' }, 'Ab', true],
    [{ ends_with: 'b' }, 'aB', true],
    [{ contains: 'b' }, 'aBc', true],
    [{ contains: 'x' }, 'abc', false],
    [{ regex: '^a\\d$' }, 'a1', true],
    [{ regex: '^a\\d$' }, 'ab', false],
    [{ or: [{ equals: 'a' }, { equals: 'b' }] }, 'b', true],
    [{ and: [{ starts_with: 'a' }, { ends_with: 'b' }] }, 'ab', true],
    [{ and: [{ starts_with: 'a' }, { ends_with: 'b' }] }, 'ac', false],
    [{ sounds_like: 'a' } as never, 'a', false],
  ])('with the rule %j accepts %j: %j', (match, name, isAccepted) => {
    const [, model] = listOf(
      { id: 'x', match: { equals: 'x' }, prices: {} },
      { id: 'y', match: { or: [match, { equals: 'y' }] }, prices: {} },
    );
    expect(model?.accepts(name)).toBe(isAccepted);
  });
});
