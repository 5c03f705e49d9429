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
 * Hours are looked through first, then the minutes of the newest two with tests: the newest may be one that has not ended, whose tests
 * came after the window. By exact keys, so it costs nothing that there are many other calls.
 */
const READ_TESTS = `WITH tests AS (
    SELECT series.id, series.outcome, config.alias FROM ai_model_configs AS config
    JOIN usage_series AS series ON series.config_id = config.id
    WHERE config.is_enabled AND series.level = ${LEVELS.kind} AND series.source = 'test'
      AND series.outcome <> ALL ($3::text[])),
  hours AS (
    SELECT tests.*, hour, dense_rank() OVER (PARTITION BY alias ORDER BY hour DESC) AS place
    FROM generate_series(date_trunc('hour', $1::timestamptz, 'UTC'), $2::timestamptz, interval '1 hour') AS hour
    CROSS JOIN tests
    CROSS JOIN LATERAL (SELECT FROM usage_hours
      WHERE level = ${LEVELS.kind} AND start = hour AND series_id = tests.id OFFSET 0) AS found)
  SELECT alias, minute, array_agg(DISTINCT outcome) AS outcomes
  FROM hours
  CROSS JOIN LATERAL generate_series(hour, hour + interval '59 minutes', interval '1 minute') AS minute
  CROSS JOIN LATERAL (SELECT FROM usage_minutes
    WHERE level = ${LEVELS.kind} AND start = minute AND series_id = hours.id OFFSET 0) AS found
  WHERE place <= 2 AND minute >= $1 AND minute < $2
  GROUP BY alias, minute ORDER BY alias, minute`;

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
