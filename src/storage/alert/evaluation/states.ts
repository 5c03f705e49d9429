import type { EntityManager } from 'typeorm';
import { NO_TEST_RESULTS } from '../../../contract/alert-kinds.js';
import { LEVELS } from '../../usage/usage-levels.js';
import type { ModelConfigEntity } from '../../model-config/model-config.entity.js';

/** What of a config decides which rules look at it, and what is known of its key. */
export type WatchedModel = Pick<
  ModelConfigEntity,
  'id' | 'alias' | 'provider' | 'tags' | 'isEnabled' | 'credentialError'
>;

const READ_MODELS = `SELECT id, alias, provider::text AS provider, tags, is_enabled AS "isEnabled",
  credential_error AS "credentialError" FROM ai_model_configs`;

export const readModels = (manager: EntityManager): Promise<WatchedModel[]> => manager.query(READ_MODELS);

/** The newest minute in which a model was tested. */
export interface NewestTest {
  /** Its beginning. */
  minute: Date;
  /** No test of that minute went well. */
  isFailing: boolean;
}

interface TestRow {
  alias: string;
  minute: Date;
  outcomes: string[];
}

/**
 * From the newest hour backwards to the second one with tests, and in each from its newest minute backwards to the first with any: the
 * newest hour may be one that has not ended, whose tests came after the window. A lateral join keeps the order of what it follows, and
 * asks no further than the limit. By exact keys, so it costs nothing that there are many other calls.
 */
const READ_TESTS = `SELECT config.alias, minutes.minute, results.outcomes
  FROM ai_model_configs AS config
  CROSS JOIN LATERAL (
    SELECT array_agg(id) AS ids FROM usage_series WHERE config_id = config.id AND level = ${LEVELS.kind}
      AND source = 'test' AND outcome <> ALL ($3::text[]) OFFSET 0) AS series
  CROSS JOIN LATERAL (
    SELECT hour
    FROM generate_series(date_trunc('hour', $2::timestamptz, 'UTC'), date_trunc('hour', $1::timestamptz, 'UTC'), '-1 hour') AS hour
    CROSS JOIN LATERAL (SELECT FROM usage_hours
      WHERE level = ${LEVELS.kind} AND start = hour AND series_id = ANY (series.ids) LIMIT 1) AS tested
    LIMIT 2) AS hours
  CROSS JOIN LATERAL (
    SELECT minute
    FROM generate_series(least(hour + interval '59 minutes', $2 - interval '1 minute'), greatest(hour, $1), '-1 minute') AS minute
    CROSS JOIN LATERAL (SELECT FROM usage_minutes
      WHERE level = ${LEVELS.kind} AND start = minute AND series_id = ANY (series.ids) LIMIT 1) AS tested
    LIMIT 1) AS minutes
  CROSS JOIN LATERAL (
    SELECT array_agg(outcome) AS outcomes FROM usage_series
    CROSS JOIN LATERAL (SELECT FROM usage_minutes
      WHERE level = ${LEVELS.kind} AND start = minutes.minute AND series_id = usage_series.id OFFSET 0) AS tested
    WHERE id = ANY (series.ids)) AS results
  WHERE config.is_enabled AND series.ids IS NOT NULL
  ORDER BY alias, minute`;

/** By alias, of the time from `from` until `to`. */
export const readNewestTests = async (
  manager: EntityManager,
  from: Date,
  to: Date,
): Promise<Map<string, NewestTest>> => {
  const rows = await manager.query<TestRow[]>(READ_TESTS, [from, to, NO_TEST_RESULTS]);
  const newest = new Map<string, NewestTest>();
  for (const { alias, minute, outcomes } of rows) newest.set(alias, { minute, isFailing: !outcomes.includes('ok') });
  return newest;
};

/** A process of the AI model service that is there. */
export interface WatchedInstance {
  id: string;
  host: string;
  /** How long it had been behind when it last reported; 0: its revision was the newest, or it has none. */
  secondsBehind: number;
}

const MAX_INSTANCES = 1000;
/** Longer than it takes to report again, by clocks that are not quite the same. */
const GONE_MILLISECONDS = 30_000;
const READ_INSTANCES = `SELECT id, host,
    coalesce(extract(epoch FROM seen_at - behind_since), 0)::double precision AS "secondsBehind"
  FROM ai_model_instances WHERE seen_at > $1 ORDER BY started_at, id LIMIT ${MAX_INSTANCES}`;

export const readInstances = (manager: EntityManager, now: Date): Promise<WatchedInstance[]> =>
  manager.query(READ_INSTANCES, [new Date(now.getTime() - GONE_MILLISECONDS)]);
