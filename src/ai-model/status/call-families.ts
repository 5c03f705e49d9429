import { type HistogramPairs, valueOf } from '../../contract/histogram.js';
import { zeros } from '../../platform/metrics/bounded-histogram.js';
import {
  histogramSamples,
  labelled,
  type Labels,
  type MetricFamily,
  type Sample,
} from '../../platform/metrics/metric-family.js';
import type { CallCounts, CallMetrics } from './call-metrics.js';
import { DURATION_BOUNDS, TOKEN_BOUNDS } from './call-metrics.js';

/** More would be a page that takes longer to make than the calls of a second. */
export const MAX_NAMED_ALIASES = 200;

type Read = (counts: CallCounts) => Iterable<Sample>;

const labelsOf = ({ alias, provider }: CallCounts): Labels => ({ alias, provider });

const countOf =
  (read: (counts: CallCounts) => number): Read =>
  (counts) => [{ value: read(counts), labels: labelsOf(counts) }];

/** The fine buckets of a duration, put into the coarse ones that everybody else uses. */
const durationSamples = (pairs: HistogramPairs, sumMs: number, labels: Labels): Iterable<Sample> => {
  const counts = zeros(DURATION_BOUNDS.length + 1);
  for (let at = 0; at < pairs.length; at += 2) {
    const seconds = valueOf(pairs[at] as number) / 1000;
    const index = DURATION_BOUNDS.findIndex((bound) => seconds <= bound);
    (counts[index === -1 ? DURATION_BOUNDS.length : index] as number) += pairs[at + 1] as number;
  }
  return histogramSamples(DURATION_BOUNDS, counts, sumMs / 1000, labels);
};

function* tokenSamples(counts: CallCounts): Iterable<Sample> {
  const labels = labelsOf(counts);
  const { inputTokenCounts, outputTokenCounts, inputTokens, outputTokens } = counts;
  yield* histogramSamples(TOKEN_BOUNDS, inputTokenCounts, inputTokens, { ...labels, token_type: 'input' });
  yield* histogramSamples(TOKEN_BOUNDS, outputTokenCounts, outputTokens, { ...labels, token_type: 'output' });
}

/** What is told of calls, by alias and provider. */
export const callFamilies = (metrics: CallMetrics): MetricFamily[] => {
  const family = (name: string, type: MetricFamily['type'], help: string, read: Read): MetricFamily => ({
    name,
    type,
    help,
    *collect() {
      for (const counts of metrics.named(MAX_NAMED_ALIASES)) yield* read(counts);
    },
  });
  return [
    family(
      'gen_ai_client_operation_duration_seconds',
      'histogram',
      'How long whole calls took, retries included.',
      (of) => durationSamples(of.latency, of.totalMs, labelsOf(of)),
    ),
    family('gen_ai_server_time_to_first_token_seconds', 'histogram', 'Until the first byte of the answer.', (of) =>
      durationSamples(of.firstByte, of.firstByteMs, labelsOf(of)),
    ),
    family('gen_ai_client_token_usage', 'histogram', 'Tokens of a call, as far as they are known.', tokenSamples),
    family('hub_calls_total', 'counter', 'Calls by how they ended: ok, or the class of the error.', (of) =>
      [...of.outcomes].map(([outcome, value]) => ({ value, labels: { ...labelsOf(of), error_class: outcome } })),
    ),
    family(
      'hub_call_attempts_total',
      'counter',
      'Requests that providers were sent.',
      countOf((of) => of.attempts),
    ),
    family(
      'hub_call_fallbacks_total',
      'counter',
      'Calls that this model took for another one.',
      countOf((of) => of.fallbacks),
    ),
    family(
      'hub_calls_with_estimated_tokens_total',
      'counter',
      'Calls whose provider told no usage.',
      countOf((of) => of.estimatedCalls),
    ),
    labelled(
      'hub_provider_attempts_total',
      'Requests that providers were sent, by how each of them ended.',
      'counter',
      function* () {
        for (const [provider, outcomes] of metrics.attempts) {
          for (const [outcome, count] of outcomes) yield [{ provider, error_class: outcome }, count];
        }
      },
    ),
    {
      name: 'hub_call_overhead_seconds',
      type: 'histogram',
      help: 'What the hub itself took of calls that were answered.',
      collect: () => metrics.overhead.samples(),
    },
    {
      name: 'hub_metrics_folded_aliases',
      type: 'gauge',
      help: `Aliases that are told together as (others): beyond the first ${MAX_NAMED_ALIASES} that were called.`,
      collect: () => [{ value: Math.max(0, metrics.size - MAX_NAMED_ALIASES) }],
    },
  ];
};
