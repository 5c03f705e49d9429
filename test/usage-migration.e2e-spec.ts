// What was counted before there were hours, days and durations is carried over, and back again, to the last call.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import type { ModelStatistics } from '../src/contract/statistics.contract.js';
import { connectionFromUrl } from '../src/storage/database/connection.js';
import { dataSourceOptions, MIGRATING } from '../src/storage/database/data-source-options.js';
import { migrate } from '../src/storage/database/migrate.js';
import { Secret } from '../src/platform/secrets/secret.js';
import { migrations } from '../typeorm-migrations/index.js';
import { aUsageBatch, aUsageRecord } from './factories/usage-record.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { startHub, type TestHub } from './support/hub.js';
import { randomNumbers } from './support/synthetic-calls.js';

const BEFORE = 'CachedInputPrice1795478400001';
const ROWS = 3000;
const MINUTE = 60_000;
const BEGINNING = Date.UTC(2026, 8, 1);

/** The statement with which the version before counted. */
const OLD_INSERT = `INSERT INTO usage_minutes
  SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::ai_provider_enum[], $5::text[], $6::text[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])
  ON CONFLICT (minute, config_id, alias, provider, source, outcome) DO UPDATE SET
    calls = usage_minutes.calls + excluded.calls`;
const OLD_ROWS = `SELECT minute, config_id, alias, provider::text, source, outcome, calls, estimated_calls, input_tokens,
    cached_tokens, output_tokens, reasoning_tokens, first_byte_calls, first_byte_ms, total_ms
  FROM usage_minutes ORDER BY minute, config_id, alias, source, outcome`;

const HAS_OLD_SHAPE = `SELECT FROM information_schema.columns
  WHERE table_name = 'usage_minutes' AND column_name = 'minute'`;

interface OldRow {
  minute: Date;
  config_id: string;
  alias: string;
  provider: string;
  source: string;
  outcome: string;
  sums: number[];
}

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const random = randomNumbers(seed);
const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;

const CONFIGS = [randomUUID(), randomUUID()];
const oldRows = (): OldRow[] => {
  const rows = new Map<string, OldRow>();
  for (let index = 0; index < ROWS; index += 1) {
    const minute = new Date(BEGINNING + Math.floor(random() * 40 * 24 * 60) * MINUTE);
    const config = pick([0, 1]);
    const [source, outcome] = [pick(['api', 'api', 'test']), pick(['ok', 'ok', 'timeout', 'client_gone'])];
    const row = {
      minute,
      config_id: CONFIGS[config] as string,
      alias: `model-${config}`,
      provider: 'openai',
      source,
      outcome,
    };
    const sums = Array.from({ length: 9 }, () => 1 + Math.floor(random() * 1000));
    rows.set(JSON.stringify(row), { ...row, sums });
  }
  return [...rows.values()];
};

describe(`the migration of usage (TEST_SEED=${seed})`, () => {
  let database: TestDatabase;
  let hub: TestHub;
  let before: { minute: Date }[];
  const rows = oldRows();
  const columns = (): unknown[] => [
    ...(['minute', 'config_id', 'alias', 'provider', 'source', 'outcome'] as const).map((name) =>
      rows.map((row) => row[name]),
    ),
    ...Array.from({ length: 9 }, (_, index) => rows.map(({ sums }) => sums[index])),
  ];
  const connection = (): ReturnType<typeof connectionFromUrl> => connectionFromUrl(Secret.of(database.url));

  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
    const upTo = migrations.findIndex(({ name }) => name === BEFORE) + 1;
    expect(upTo).toBeGreaterThan(0);
    const options = { ...dataSourceOptions(connection(), MIGRATING), migrations: migrations.slice(0, upTo) };
    const dataSource = await new DataSource(options).initialize();
    await dataSource.runMigrations();
    await dataSource.query(OLD_INSERT, columns());
    await dataSource.destroy();
    before = await database.query(OLD_ROWS);
    expect(before).toHaveLength(rows.length);
    await migrate(connection(), () => undefined);
    hub = await startHub({ database, env: { SERVICE_ROLE: 'storage' } });
  });
  afterAll(async () => {
    await hub.stop();
    await database.drop();
  });

  const sumOf = (chosen: OldRow[], column: number): number =>
    chosen.reduce((sum, row) => sum + (row.sums[column] as number), 0);
  const ask = async (query: Record<string, string>): Promise<ModelStatistics> =>
    (await hub.request('get', '/api/v1/ai-models/statistics').query(query).expect(200)).body as ModelStatistics;
  const expected = (chosen: OldRow[]): object => ({
    usage_count: sumOf(chosen, 0),
    error_count: sumOf(
      chosen.filter(({ outcome }) => outcome === 'timeout'),
      0,
    ),
    estimated_calls: sumOf(chosen, 1),
    // Nobody knows what they cost, nor how long each of them took.
    unpriced_calls: sumOf(chosen, 0),
    cost_usd: 0,
    tokens: {
      input: sumOf(chosen, 2),
      cached: sumOf(chosen, 3),
      output: sumOf(chosen, 4),
      reasoning: sumOf(chosen, 5),
    },
    latency_ms: {
      p50: null,
      p95: null,
      p99: null,
      mean: Math.round((sumOf(chosen, 8) / sumOf(chosen, 0)) * 1000) / 1000,
    },
  });

  it('keeps every sum, in every table and at every level', async () => {
    const api = rows.filter(({ source }) => source === 'api');
    expect(await ask({})).toMatchObject(expected(api));
    const [from, to] = [BEGINNING + 1000 * MINUTE, BEGINNING + 30_001 * MINUTE];
    const inRange = rows.filter(({ minute }) => minute.getTime() >= from && minute.getTime() < to);
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), source: 'all' };
    expect(await ask(range)).toMatchObject(expected(inRange));
    for (const alias of ['model-0', 'model-1']) {
      expect(await ask({ ...range, alias })).toMatchObject(expected(inRange.filter((row) => row.alias === alias)));
    }
    for (const table of ['usage_minutes', 'usage_hours', 'usage_days']) {
      const levels = await database.query(
        `SELECT level, sum(calls)::int AS calls, sum(total_ms)::int AS total_ms FROM ${table} GROUP BY level ORDER BY level`,
      );
      const whole = { calls: sumOf(rows, 0), total_ms: sumOf(rows, 8) };
      expect({ table, levels }).toEqual({ table, levels: [0, 1, 2, 3, 4, 5].map((level) => ({ level, ...whole })) });
    }
  });

  it('turns a process of the version before away, which keeps what it could not count', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await expect(client.query(OLD_INSERT, columns())).rejects.toThrow();
    await client.end();
    expect((await ask({ source: 'all' })).usage_count).toBe(sumOf(rows, 0));
  });

  it('goes back with what came after it, from whatever rows are left of each day', async () => {
    const minute = BEGINNING + 5 * MINUTE;
    const record = aUsageRecord({
      config_id: CONFIGS[0] as string,
      alias: 'model-0',
      provider: 'openai',
      minute,
      calls: 7,
      outcome: 'quota',
    });
    await hub.request('post', '/internal/v1/usage', hub.serviceToken).send(aUsageBatch(record)).expect(200);
    // As if retention had been at work: the first ten days by the day only, the next ten by the hour.
    const [hours, minutes] = [10, 20].map((days) => new Date(BEGINNING + days * 24 * 60 * MINUTE));
    for (const [resolution, table, time] of [
      ['minute', 'usage_minutes', minutes],
      ['hour', 'usage_hours', hours],
    ]) {
      await database.query('UPDATE usage_retention SET complete_from = $1 WHERE resolution = $2', [time, resolution]);
      await database.query(`DELETE FROM ${String(table)} WHERE start < $1`, [time]);
    }
    const dataSource = await new DataSource(dataSourceOptions(connection(), MIGRATING)).initialize();
    const isBack = async (): Promise<boolean> => (await database.query(HAS_OLD_SHAPE)).length > 0;
    for (let undone = 0; undone < migrations.length && !(await isBack()); undone += 1)
      await dataSource.undoLastMigration();

    const sums = await database.query(`SELECT config_id, source, outcome, sum(calls)::int AS calls,
        sum(output_tokens)::int AS output FROM usage_minutes GROUP BY 1, 2, 3`);
    const kinds = new Map<string, object>();
    for (const { config_id, source, outcome } of rows) {
      const alike = rows.filter(
        (row) => row.config_id === config_id && row.source === source && row.outcome === outcome,
      );
      kinds.set(`${config_id}${source}${outcome}`, {
        config_id,
        source,
        outcome,
        calls: sumOf(alike, 0),
        output: sumOf(alike, 4),
      });
    }
    const added = { config_id: CONFIGS[0], source: 'api', outcome: 'quota', calls: 7, output: record.output_tokens };
    expect(sums).toHaveLength(kinds.size + 1);
    expect(sums).toEqual(expect.arrayContaining([...kinds.values(), added]));
    const isKept = ({ minute: time }: { minute: Date }): boolean => time >= (minutes as Date);
    const after = await database.query<{ minute: Date }>(OLD_ROWS);
    expect(after.filter(isKept)).toEqual(before.filter(isKept));
    await dataSource.runMigrations();
    await dataSource.destroy();
    expect((await ask({ source: 'all' })).usage_count).toBe(sumOf(rows, 0) + 7);
  });
});
