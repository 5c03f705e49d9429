import { describe, expect, it } from '@jest/globals';
import type { UsageRecord } from '../../contract/usage.contract.js';
import { costOf, isUnpriced } from './usage-cost.js';

const record = (fields: Partial<UsageRecord>): UsageRecord =>
  ({
    input_price_per_million: null,
    cached_input_price_per_million: null,
    output_price_per_million: null,
    input_tokens: 0,
    cached_tokens: 0,
    output_tokens: 0,
    ...fields,
  }) as UsageRecord;

const DOLLAR = 10n ** 12n;

describe('the cost of a record', () => {
  it('is what its tokens cost by its prices', () => {
    const priced = record({
      input_price_per_million: 3,
      cached_input_price_per_million: 0.3,
      output_price_per_million: 15,
      input_tokens: 2_000_000,
      cached_tokens: 1_000_000,
      output_tokens: 1_000_000,
    });
    expect(costOf(priced)).toBe((183n * DOLLAR) / 10n);
    expect(costOf({ ...priced, cached_input_price_per_million: null })).toBe(21n * DOLLAR);
    expect(costOf({ ...priced, cached_input_price_per_million: 0 })).toBe(18n * DOLLAR);
  });

  it('is exact where a double is not', () => {
    const priced = record({ input_price_per_million: 0.1, output_price_per_million: 0.2 });
    expect(costOf({ ...priced, input_tokens: 1, output_tokens: 1 })).toBe(300_000n);
    expect(costOf({ ...priced, input_price_per_million: 99_999_999.999999, input_tokens: 1_000_000_000_000 })).toBe(
      99_999_999_999_999n * 1_000_000_000_000n,
    );
  });

  it('takes no more tokens for cached than there are', () => {
    const priced = record({
      input_price_per_million: 2,
      cached_input_price_per_million: 1,
      output_price_per_million: 0,
    });
    expect(costOf({ ...priced, input_tokens: 10, cached_tokens: 1000 })).toBe(10_000_000n);
  });

  it.each<[boolean, Partial<UsageRecord>]>([
    [true, {}],
    [true, { input_tokens: 5, output_tokens: 5 }],
    [false, { input_price_per_million: 0, output_price_per_million: 0, input_tokens: 5, output_tokens: 5 }],
    // An embedding has no output, so it needs no price for one.
    [false, { input_price_per_million: 1, input_tokens: 5 }],
    [true, { input_price_per_million: 1, input_tokens: 5, output_tokens: 1 }],
    [true, { output_price_per_million: 1, input_tokens: 5, output_tokens: 1 }],
  ])('is unknown (%s) with %j', (expected, fields) => {
    expect(isUnpriced(record(fields))).toBe(expected);
  });
});
