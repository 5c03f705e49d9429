// A million calls (every day a fifth of them) over 30 days, through the ingestion as the AI model service uses it, against what is added up here from
// the single calls: sums are equal to the last digit, percentiles within 2 % over any range.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type {
  CallTotals,
  DurationSummary,
  ModelStatistics,
  StatisticsSeries,
} from '../src/contract/statistics.contract.js';
import type { CallOutcome } from '../src/contract/usage.contract.js';
import { sized } from './support/chaos.js';
import { startHub, type TestHub } from './support/hub.js';
import {
  batchesOf,
  type CallColumns,
  MODELS,
  OUTCOMES,
  PRICES,
  randomNumbers,
  syntheticCalls,
  TOKENS,
} from './support/synthetic-calls.js';

const CALLS = sized(200_000, 1_000_000, 1_000_000);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const DAYS = 30;
/** Calls come in bursts: enough minutes for any range to cut through some, few enough to be done in a minute. */
const MINUTES = 1200;
const SENDERS = 3;
const MAX_PERCENTILE_ERROR = 0.02;
const FILL_MILLISECONDS = 300_000;
const ZONES = ['UTC', 'Asia/Shanghai', 'Asia/Kolkata', 'America/New_York'];

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const random = randomNumbers(seed);
const below = (limit: number): number => Math.floor(random() * limit);

/** Around the night in which New York puts its clocks back. */
const BEGINNING = Date.UTC(2026, 9, 15);
const END = BEGINNING + DAYS * DAY;

type Choice = (calls: CallColumns, index: number) => boolean;

const isError = (outcome: CallOutcome): boolean => outcome !== 'ok' && outcome !== 'client_gone';
const outcomeOf = (calls: CallColumns, index: number): CallOutcome =>
  OUTCOMES[calls.outcome[index] as number] as CallOutcome;

/** In units of 10^-12 US dollars; below 2^53 for a thousand calls. */
const costOf = (calls: CallColumns, index: number): number => {
  const price = PRICES[calls.model[index] as number];
  if (!price) return 0;
  const [input, cached, output] = [calls.input[index], calls.cached[index], calls.output[index]] as [
    number,
    number,
    number,
  ];
  return (input - cached) * price.input + cached * (price.cached ?? price.input) + output * price.output;
};

/** The chosen calls, added up one by one. */
const addUp = (
  calls: CallColumns,
  isChosen: Choice,
): { totals: Record<string, unknown>; latency: number[]; firstByte: number[] } => {
  const sums = { calls: 0, errors: 0, estimated: 0, unpriced: 0, input: 0, cached: 0, output: 0 };
  const errors: Record<string, number> = {};
  const [latency, firstByte]: [number[], number[]] = [[], []];
  let cost = 0n;
  for (let index = 0; index < calls.length; index += 1) {
    if (!isChosen(calls, index)) continue;
    const outcome = outcomeOf(calls, index);
    sums.calls += 1;
    sums.estimated += index % 10 === 0 ? 1 : 0;
    sums.unpriced += PRICES[calls.model[index] as number] ? 0 : 1;
    sums.input += calls.input[index] as number;
    sums.cached += calls.cached[index] as number;
    sums.output += calls.output[index] as number;
    cost += BigInt(costOf(calls, index));
    latency.push(calls.totalMs[index] as number);
    if (calls.firstByteMs[index]) firstByte.push(calls.firstByteMs[index] as number);
    if (!isError(outcome)) continue;
    sums.errors += 1;
    errors[outcome] = (errors[outcome] ?? 0) + 1;
  }
  const totals = {
    calls: sums.calls,
    errors: sums.errors,
    errors_by_class: errors,
    estimated_calls: sums.estimated,
    unpriced_calls: sums.unpriced,
    tokens: { input: sums.input, cached: sums.cached, output: sums.output, reasoning: 0 },
    cost_usd: Number(`${cost}e-12`),
  };
  return { totals, latency, firstByte };
};

const exactPercentile = (sorted: Float64Array, rank: number): number =>
  sorted[Math.ceil(rank * sorted.length - 1e-9) - 1] as number;

const worstErrorOf = (seen: DurationSummary, durations: number[]): number => {
  const sorted = Float64Array.from(durations).sort();
  const errors = ([0.5, 0.95, 0.99] as const).map((rank, index) => {
    const exact = exactPercentile(sorted, rank);
    return Math.abs(([seen.p50, seen.p95, seen.p99][index] as number) - exact) / exact;
  });
  return Math.max(...errors);
};

const sumsOf = ({ calls, errors, estimated_calls, unpriced_calls, tokens, cost_usd }: CallTotals): object => ({
  calls,
  errors,
  estimated_calls,
  unpriced_calls,
  tokens,
  cost_usd,
});

describe(`statistics of ${CALLS} calls over ${DAYS} days (TEST_SEED=${seed})`, () => {
  let hub: TestHub;
  let calls: CallColumns;
  let worst = 0;

  beforeAll(async () => {
    hub = await startHub();
    const minutes = Array.from({ length: MINUTES }, () => BEGINNING + below(DAYS * 24 * 60) * MINUTE);
    calls = syntheticCalls(
      CALLS,
      minutes.sort((a, b) => a - b),
      random,
    );
    const startedAt = performance.now();
    const batches = batchesOf(calls);
    let records = 0;
    const send = async (): Promise<void> => {
      for (const batch of batches) {
        await hub.request('post', '/internal/v1/usage', hub.serviceToken).send(batch).expect(200);
        records += batch.records.length;
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, send));
    console.log(`${CALLS} calls in ${records} records: ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }, FILL_MILLISECONDS);
  afterAll(() => hub.close());

  const ask = async (query: Record<string, string>): Promise<ModelStatistics> =>
    (await hub.request('get', '/api/v1/ai-models/statistics').query(query).expect(200)).body as ModelStatistics;

  const isBetween =
    (from: number, to: number): Choice =>
    (columns, index) =>
      (columns.minute[index] as number) >= from && (columns.minute[index] as number) < to;

  const compare = (seen: CallTotals, isChosen: Choice): void => {
    const { totals, latency, firstByte } = addUp(calls, isChosen);
    const { errors_by_class: _classes, ...sums } = totals;
    expect(sumsOf(seen)).toEqual(sums);
    if (latency.length === 0) return;
    worst = Math.max(worst, worstErrorOf(seen.latency_ms, latency), worstErrorOf(seen.first_byte_ms, firstByte));
    expect(worst).toBeLessThanOrEqual(MAX_PERCENTILE_ERROR);
  };
  const totalsOf = ({ usage_count: count, error_count: errors, ...rest }: ModelStatistics): CallTotals => ({
    ...rest,
    calls: count,
    errors,
  });

  it('are exact over everything', async () => {
    const all = await ask({});
    expect(all.usage_count).toBe(CALLS);
    expect(all.errors_by_class).toEqual(addUp(calls, () => true).totals['errors_by_class']);
    compare(totalsOf(all), () => true);
  });

  it('are exact over any range, to the minute', async () => {
    for (let round = 0; round < 15; round += 1) {
      // From minutes to weeks.
      const length = Math.ceil(DAYS * 24 * 60 * 10 ** (-3 * random()));
      const from = BEGINNING + below(DAYS * 24 * 60 - length + 1) * MINUTE;
      const to = from + length * MINUTE;
      const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      const seen = await ask(range);
      expect(seen).toMatchObject(range);
      compare(totalsOf(seen), isBetween(from, to));
      expect(seen.errors_by_class).toEqual(addUp(calls, isBetween(from, to)).totals['errors_by_class']);
    }
  });

  const valuesOf: Record<string, (columns: CallColumns, index: number) => string | null> = {
    model: (columns, index) => MODELS[columns.model[index] as number]?.alias ?? '',
    token_id: (columns, index) => TOKENS[columns.token[index] as number] ?? null,
    error_class: (columns, index) => (isError(outcomeOf(columns, index)) ? outcomeOf(columns, index) : null),
  };
  const isOfGroup =
    ({ group }: StatisticsSeries): Choice =>
    (columns, index) =>
      Object.entries(valuesOf).every(([name, valueOf]) => !(name in group) || group[name] === valueOf(columns, index));

  it.each(['model', 'token', 'error_class', 'model,error_class', 'token,model'])(
    'are exact grouped by %s',
    async (by) => {
      const from = BEGINNING + below(10 * 24 * 60) * MINUTE;
      const to = END - below(10 * 24 * 60) * MINUTE;
      const { series, groups_total: total } = await ask({
        group_by: by,
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
      });
      expect(series).toHaveLength(total ?? 0);
      for (const one of series ?? []) {
        compare(one.totals, (columns, index) => isBetween(from, to)(columns, index) && isOfGroup(one)(columns, index));
      }
      expect(series?.reduce((sum, one) => sum + one.totals.calls, 0)).toBe(
        addUp(calls, isBetween(from, to)).totals['calls'],
      );
    },
  );

  it('are exact point by point in every time zone, and the same in all of them together', async () => {
    const [from, to] = [BEGINNING + 7 * MINUTE, END - 11 * MINUTE];
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    const midnight = (zone: string): Intl.DateTimeFormat =>
      new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    const everySum: object[] = [];
    for (const tz of ZONES) {
      const seen = await ask({ ...range, interval: 'day', tz });
      const [one] = seen.series as [StatisticsSeries];
      const starts = one.points.map((point) => Date.parse(point.start));
      expect(new Set(starts.map((start) => midnight(tz).format(start)))).toEqual(new Set(['00:00']));
      for (const [index, point] of one.points.entries()) {
        const [first, last] = [Math.max(starts[index] as number, from), Math.min(starts[index + 1] ?? to, to)];
        compare(point, isBetween(first, last));
      }
      expect(one.totals).toEqual(totalsOfSeries(seen));
      everySum.push(sumsOf(one.totals));
    }
    expect(new Set(everySum.map((sum) => JSON.stringify(sum)))).toHaveProperty('size', 1);
    const lengths = async (tz: string): Promise<Set<number>> => {
      const [one] = (await ask({ ...range, interval: 'day', tz })).series as [StatisticsSeries];
      const starts = one.points.map((point) => Date.parse(point.start));
      return new Set(starts.slice(1).map((start, index) => (start - (starts[index] as number)) / 3_600_000));
    };
    expect(await lengths('Asia/Kolkata')).toEqual(new Set([24]));
    expect(await lengths('America/New_York')).toEqual(new Set([24, 25]));
  });

  const totalsOfSeries = (seen: ModelStatistics): unknown => {
    const {
      calls: count,
      errors,
      estimated_calls,
      unpriced_calls,
      tokens,
      cost_usd,
      latency_ms,
      first_byte_ms,
    } = totalsOf(seen);
    return { calls: count, errors, estimated_calls, unpriced_calls, tokens, cost_usd, latency_ms, first_byte_ms };
  };

  it('answer soon, and had percentiles as near as they should be', async () => {
    const startedAt = performance.now();
    await ask({ interval: 'hour', from: new Date(BEGINNING).toISOString(), to: new Date(END).toISOString() });
    console.log(
      `30 days by the hour: ${Math.round(performance.now() - startedAt)} ms; worst percentile: ${(100 * worst).toFixed(2)} % off`,
    );
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(MAX_PERCENTILE_ERROR);
  });
});
