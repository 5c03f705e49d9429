// Four senders at once, killed in the middle of what they do and started again: nothing is lost, nothing counts twice.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bucketOf } from '../src/contract/histogram.js';
import type { ModelStatistics } from '../src/contract/statistics.contract.js';
import type { UsageBatch, UsageRecord } from '../src/contract/usage.contract.js';
import { aUsageBatch, aUsageRecord } from './factories/usage-record.js';
import { saveModel, type Json } from './support/calls.js';
import { startHub, type TestHub } from './support/hub.js';
import { exitOf } from './support/hub-process.js';
import { randomNumbers } from './support/synthetic-calls.js';

const SENDER = fileURLToPath(new URL('./support/usage-sender.js', import.meta.url));
const SENDERS = 4;
const BATCHES = 60;
const RECORDS = 40;
const MINUTE = 60_000;
const KILLS_AT_LEAST = 8;
/** Of one sender; then it may finish. */
const KILLS_AT_MOST = 12;
const LIMIT_MILLISECONDS = 240_000;

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const random = randomNumbers(seed);
const below = (limit: number): number => Math.floor(random() * limit);

describe(`usage of ${SENDERS} senders that are killed (TEST_SEED=${seed})`, () => {
  let hub: TestHub;
  let config: Json;
  let directory: string;
  const sent: UsageRecord[] = [];

  beforeAll(async () => {
    hub = await startHub({ env: { SERVICE_ROLE: 'storage' } });
    config = await saveModel(hub);
    directory = mkdtempSync(join(tmpdir(), 'hub-test-senders-'));
  });
  afterAll(async () => {
    await hub.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** All senders meet in the same few rows of the same few minutes, in every order. */
  const aRecord = (): UsageRecord => {
    const latency = 1 + below(1000);
    const calls = 1 + below(5);
    return aUsageRecord({
      config_id: String(config['id']),
      alias: String(config['alias']),
      outcome: below(4) === 0 ? 'timeout' : 'ok',
      token_id: `token-${below(3)}`,
      streamed: below(2) === 0,
      minute: Date.UTC(2026, 10, 20, 22, 0) + below(180) * MINUTE,
      calls,
      input_tokens: below(1000),
      output_tokens: below(1000),
      input_price_per_million: 0.15,
      output_price_per_million: 0.6,
      total_ms: latency * calls,
      latency: [bucketOf(latency), calls],
      first_byte_calls: 0,
      first_byte_ms: 0,
      first_byte: [],
    });
  };
  const batchesOfSender = (): UsageBatch[] =>
    Array.from({ length: BATCHES }, () => aUsageBatch(...Array.from({ length: RECORDS }, aRecord)));

  /** Runs a sender until it is done, killing it after a random while again and again; answers how often. */
  const runSender = async (name: string): Promise<number> => {
    const batches = batchesOfSender();
    sent.push(...batches.flatMap(({ records }) => records));
    const files = { batchesFile: join(directory, `${name}.json`), progressFile: join(directory, `${name}.progress`) };
    writeFileSync(files.batchesFile, JSON.stringify({ batches }));
    const settings = JSON.stringify({ url: hub.url, token: hub.serviceToken, ...files });
    for (let kills = 0; ; kills += 1) {
      const child = spawn(process.execPath, [SENDER, settings], {
        stdio: 'inherit',
        env: { PATH: process.env['PATH'] },
      });
      const exit = exitOf(child);
      const isOver = exit.then(() => true);
      // Too short to be done; longer every time, since a busy machine needs a while to start a process.
      const ended = await Promise.race([isOver, sleep(200 + 20 * kills + below(500), false)]);
      if (!ended && kills < KILLS_AT_MOST) child.kill('SIGKILL');
      const code = await exit;
      if (code === 0) return kills;
      expect(code).toBeNull();
    }
  };

  const total = (value: (record: UsageRecord) => number): number =>
    sent.reduce((sum, record) => sum + value(record), 0);

  it(
    'is counted once each, in every table and at every level',
    async () => {
      const kills = await Promise.all(Array.from({ length: SENDERS }, (_, index) => runSender(`sender-${index}`)));
      console.log(`${SENDERS * BATCHES} batches, senders killed ${kills.join(', ')} times`);
      expect(kills.reduce((sum, next) => sum + next)).toBeGreaterThanOrEqual(KILLS_AT_LEAST);
      const calls = total((record) => record.calls);
      const input = total((record) => record.input_tokens);
      const totalMs = total((record) => record.total_ms);
      const cost = total((record) => record.input_tokens * 150_000 + record.output_tokens * 600_000);
      for (const table of ['usage_minutes', 'usage_hours', 'usage_days']) {
        const rows = await hub.database.query(
          `SELECT level, sum(calls)::int AS calls, sum(input_tokens)::int AS input, sum(total_ms)::int AS total_ms,
             (sum(cost_usd) * 1e12)::bigint::text AS cost
           FROM ${table} GROUP BY level ORDER BY level`,
        );
        const expected = { calls, input, total_ms: totalMs, cost: String(cost) };
        expect({ table, rows }).toEqual({ table, rows: [0, 1, 2, 3, 4, 5].map((level) => ({ level, ...expected })) });
      }
      const { body } = await hub.request('get', '/api/v1/ai-models/statistics').expect(200);
      const statistics = body as ModelStatistics;
      expect(statistics).toMatchObject({
        usage_count: calls,
        error_count: total((record) => (record.outcome === 'ok' ? 0 : record.calls)),
        tokens: { input, output: total((record) => record.output_tokens) },
        cost_usd: cost / 1e12,
      });
      const { body: model } = await hub.request('get', `/api/v1/ai-models/configs/${String(config['id'])}`).expect(200);
      expect(model).toMatchObject({ usage_count: calls });
      expect(hub.logs()).not.toContain('deadlock');
    },
    LIMIT_MILLISECONDS,
  );

  it('has every duration once: the percentiles are those of all calls', async () => {
    const durations = sent.flatMap(({ latency: [bucket = 0, calls = 0] }) => Array<number>(calls).fill(bucket));
    durations.sort((a, b) => a - b);
    const { body } = await hub.request('get', '/api/v1/ai-models/statistics').expect(200);
    const { latency_ms: seen } = body as ModelStatistics;
    const bucketAt = (rank: number): number => durations[Math.ceil(rank * durations.length) - 1] as number;
    expect([seen.p50, seen.p95, seen.p99].map((value) => bucketOf(value as number))).toEqual(
      [0.5, 0.95, 0.99].map(bucketAt),
    );
  });
});
