import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = { usage_minutes: 'minute', usage_hours: 'hour', usage_days: 'day' } as const;

const SUMS = [
  'calls',
  'errors',
  'estimated_calls',
  'unpriced_calls',
  'input_tokens',
  'cached_tokens',
  'output_tokens',
  'reasoning_tokens',
  'first_byte_calls',
  'first_byte_ms',
  'total_ms',
];
const OLD_SUMS = SUMS.filter((name) => name !== 'unpriced_calls' && name !== 'errors');

/** Rows stay in their page with their histograms: reading those from elsewhere costs more than all the rest. */
const createTable = (table: string): string => `CREATE TABLE ${table} (
  level smallint NOT NULL,
  start timestamptz NOT NULL,
  series_id bigint NOT NULL,
  ${SUMS.map((name) => `${name} bigint NOT NULL`).join(', ')},
  cost_usd numeric(30,12) NOT NULL,
  latency text NOT NULL,
  first_byte text NOT NULL,
  CONSTRAINT pk_${table} PRIMARY KEY (level, start, series_id)) WITH (toast_tuple_target = 8160)`;

/**
 * Adds up two histograms: Base64 of entries of three bytes, ten bits bucket, one bit for 8192 calls instead of one, 13 bits
 * how many. `OFFSET 0` keeps the planner from decoding once more for every bit it looks at.
 */
const MERGE = `CREATE FUNCTION usage_histogram_merge(stored text, added text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN added = '' THEN stored WHEN stored = '' THEN added ELSE (
      SELECT replace(encode(string_agg(
          CASE WHEN calls & 8191 > 0
            THEN substring(int4send((bucket << 14) | (calls & 8191)::integer) FROM 2) ELSE '' END
          || CASE WHEN calls > 8191
            THEN substring(int4send((bucket << 14) | 8192 | least(calls >> 13, 8191)::integer) FROM 2) ELSE '' END,
          '' ORDER BY bucket), 'base64'), E'\\n', '')
      FROM (
        SELECT entry >> 14 AS bucket, sum((entry & 8191) << (13 * ((entry >> 13) & 1))) AS calls
        FROM (
          SELECT (get_byte(bytes, at) << 16) | (get_byte(bytes, at + 1) << 8) | get_byte(bytes, at + 2) AS entry
          FROM (SELECT decode(stored || added, 'base64') AS bytes OFFSET 0) AS joined,
            generate_series(0, octet_length(bytes) - 3, 3) AS at OFFSET 0
        ) AS entries GROUP BY entry >> 14
      ) AS buckets
    ) END
  $$`;

/** What the rows of each level are told apart by. */
const LEVELS = [
  { level: 0, by: ['source'] },
  { level: 1, by: ['source', 'outcome'] },
  { level: 2, by: ['source', 'config_id', 'alias', 'provider'] },
  // By token and by prompt, neither of which was counted before.
  { level: 3, by: ['source'] },
  { level: 4, by: ['source'] },
  { level: 5, by: ['source', 'config_id', 'alias', 'provider', 'outcome'] },
];
type Level = (typeof LEVELS)[number];

const EMPTY = {
  config_id: `'00000000-0000-0000-0000-000000000000'::uuid`,
  alias: `''`,
  provider: `''`,
  source: `''`,
  outcome: `''`,
};
const DIMENSIONS = Object.keys(EMPTY) as (keyof typeof EMPTY)[];

/** The values of an old row that a level keeps, in the order of DIMENSIONS. */
const keptBy = ({ by }: Level): string[] =>
  DIMENSIONS.map((name) => (by.includes(name) ? `before.${name}${name === 'provider' ? '::text' : ''}` : EMPTY[name]));

const carrySeries = (level: Level): string =>
  `INSERT INTO usage_series (level, ${DIMENSIONS.join(', ')}, streamed, token_id, prompt_id, prompt_name, prompt_version,
    prompt_label)
  SELECT DISTINCT ${level.level}, ${keptBy(level).join(', ')}, false, '', '', '', 0, '' FROM usage_minutes_before AS before`;

/** What was counted before had no price and no histogram. */
const carryRows = (table: string, unit: string, level: Level): string => {
  const kept = keptBy(level);
  const isSeries = DIMENSIONS.map((name, index) => `series.${name} = ${kept[index]}`).join(' AND ');
  return `INSERT INTO ${table} (level, start, series_id, errors, unpriced_calls, ${OLD_SUMS.join(', ')}, cost_usd, latency,
    first_byte)
  SELECT ${level.level}, date_trunc('${unit}', before.minute, 'UTC'), series.id,
    coalesce(sum(before.calls) FILTER (WHERE before.outcome NOT IN ('ok', 'client_gone')), 0), sum(before.calls),
    ${OLD_SUMS.map((name) => `sum(before.${name})`).join(', ')}, 0, '', ''
  FROM usage_minutes_before AS before JOIN usage_series AS series ON series.level = ${level.level} AND ${isSeries}
  GROUP BY 2, 3`;
};

/** Each call once, from the finest rows that are still there. */
const OLD_ROWS = `
  SELECT rows.*, series.config_id, series.alias, series.provider, series.source, series.outcome
  FROM (
    SELECT * FROM usage_minutes WHERE level = 5
      AND start >= (SELECT complete_from FROM usage_retention WHERE resolution = 'minute')
    UNION ALL SELECT * FROM usage_hours WHERE level = 5
      AND start < (SELECT complete_from FROM usage_retention WHERE resolution = 'minute')
      AND start >= (SELECT complete_from FROM usage_retention WHERE resolution = 'hour')
    UNION ALL SELECT * FROM usage_days WHERE level = 5
      AND start < (SELECT min(complete_from) FROM usage_retention)
  ) AS rows JOIN usage_series AS series ON series.id = rows.series_id`;

export class UsageSeries1795478400003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE usage_minutes RENAME TO usage_minutes_before');
    await runner.query('ALTER INDEX pk_usage_minutes RENAME TO pk_usage_minutes_before');
    await runner.query(`CREATE TABLE usage_series (
      id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
      level smallint NOT NULL,
      config_id uuid NOT NULL,
      alias varchar(100) NOT NULL,
      provider varchar(40) NOT NULL,
      source varchar(20) NOT NULL,
      outcome varchar(40) NOT NULL,
      streamed boolean NOT NULL,
      token_id varchar(64) NOT NULL,
      prompt_id varchar(36) NOT NULL,
      prompt_name varchar(100) NOT NULL,
      prompt_version integer NOT NULL,
      prompt_label varchar(100) NOT NULL,
      CONSTRAINT pk_usage_series PRIMARY KEY (id),
      CONSTRAINT uq_usage_series UNIQUE (config_id, alias, provider, source, outcome, streamed, token_id, prompt_id,
        prompt_name, prompt_version, prompt_label, level))`);
    await runner.query(MERGE);
    for (const table of Object.keys(TABLES)) await runner.query(createTable(table));
    await runner.query(`CREATE TABLE usage_retention (
      resolution varchar(10) NOT NULL,
      complete_from timestamptz NOT NULL,
      CONSTRAINT pk_usage_retention PRIMARY KEY (resolution))`);
    await runner.query(`INSERT INTO usage_retention VALUES ('minute', 'epoch'), ('hour', 'epoch')`);
    for (const level of LEVELS) {
      await runner.query(carrySeries(level));
      for (const [table, unit] of Object.entries(TABLES)) {
        await runner.query(carryRows(table, unit, level));
      }
    }
    await runner.query('DROP TABLE usage_minutes_before');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE usage_minutes_before (
      minute timestamptz NOT NULL,
      config_id uuid NOT NULL,
      alias varchar(100) NOT NULL,
      provider ai_provider_enum NOT NULL,
      source varchar(20) NOT NULL,
      outcome varchar(40) NOT NULL,
      ${OLD_SUMS.map((name) => `${name} bigint NOT NULL`).join(', ')},
      CONSTRAINT pk_usage_minutes_before PRIMARY KEY (minute, config_id, alias, provider, source, outcome))`);
    await runner.query(`INSERT INTO usage_minutes_before
      SELECT start, config_id, alias, provider::ai_provider_enum, source, outcome,
        ${OLD_SUMS.map((name) => `sum(${name})`).join(', ')}
      FROM (${OLD_ROWS}) AS kept GROUP BY 1, 2, 3, 4, 5, 6`);
    for (const table of ['usage_retention', ...Object.keys(TABLES)]) await runner.query(`DROP TABLE ${table}`);
    await runner.query('DROP FUNCTION usage_histogram_merge(text, text)');
    await runner.query('DROP TABLE usage_series');
    await runner.query('ALTER TABLE usage_minutes_before RENAME TO usage_minutes');
    await runner.query('ALTER INDEX pk_usage_minutes_before RENAME TO pk_usage_minutes');
  }
}
