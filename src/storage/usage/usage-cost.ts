import type { UsageRecord } from '../../contract/usage.contract.js';

/** Prices have six places: this many of their units are a dollar per million tokens. */
const PRICE_UNITS = 1_000_000;

const unitsOf = (price: number | null): bigint => BigInt(Math.round((price ?? 0) * PRICE_UNITS));

/** What the calls of a record cost, in units of 10^-12 US dollars: whole numbers, so that sums stay exact. */
export const costOf = (record: UsageRecord): bigint => {
  const inputPrice = unitsOf(record.input_price_per_million);
  const cachedPrice =
    record.cached_input_price_per_million === null ? inputPrice : unitsOf(record.cached_input_price_per_million);
  const cached = Math.min(record.cached_tokens, record.input_tokens);
  return (
    BigInt(record.input_tokens - cached) * inputPrice +
    BigInt(cached) * cachedPrice +
    BigInt(record.output_tokens) * unitsOf(record.output_price_per_million)
  );
};

/** A price that the calls would have needed is not known: they cost more than `costOf` says. */
export const isUnpriced = (record: UsageRecord): boolean => {
  const lacksInput = record.input_price_per_million === null;
  const lacksOutput = record.output_price_per_million === null;
  return (
    (lacksInput && lacksOutput) || (lacksInput && record.input_tokens > 0) || (lacksOutput && record.output_tokens > 0)
  );
};
