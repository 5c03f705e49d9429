// A hub with ten thousand models, each of them called, by callers and providers who say what they like, while its metrics
// are read all the time: the page stays small, is valid each time, tells every call, and says nothing that was said.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'undici';
import { aChat, call, CHAT, until } from '../support/calls.js';
import { randomFrom, seedOf } from '../support/chaos.js';
import { createTestDatabase } from '../support/database.js';
import { politeScript, sendJson, startFakeProvider, type FakeProvider } from '../support/fake-provider.js';
import { startHub, type TestHub } from '../support/hub.js';
import {
  foreignLabels,
  hasPromtool,
  HOSTILE_TEXTS,
  promtoolOf,
  readMetrics,
  SAID,
  seriesOf,
} from '../support/metrics.js';

const MODELS = 10_000;
const CALLERS = 24;
const NAMED = 200;
const MOST_SERIES = 25_000;
const FAILING_SHARE = 0.2;
const READ_MILLISECONDS = 1000;

const aliasOf = (end: number | ''): string => `model/of.team_:${'x'.repeat(60)}-${end}`;

describe('the metrics of a hub with ten thousand models', () => {
  const random = randomFrom(seedOf('metrics'));
  const pick = <Value>(list: readonly Value[]): Value => list[Math.floor(random() * list.length)] as Value;
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    provider = await startFakeProvider((received, response) => {
      if (random() >= FAILING_SHARE) return politeScript(received, response);
      const text = pick(HOSTILE_TEXTS);
      const error = { message: text, type: text, code: text, param: text };
      return sendJson(response, pick([400, 401, 403, 404, 413, 429, 500, 503, 529]), { error });
    });
    const database = await createTestDatabase();
    await database.query(
      `INSERT INTO ai_model_configs (alias, provider, model_name, api_base, is_local, max_retries)
       SELECT $1 || n, 'openai_compatible', ($2::text[])[1 + n % cardinality($2::text[])], $3, true, 0
       FROM generate_series(0, $4::integer - 1) AS n`,
      [aliasOf(''), HOSTILE_TEXTS, provider.url, MODELS],
    );
    hub = await startHub({ database, env: { LOG_LEVEL: 'error' } });
    await until(
      async () => (await call(hub, aChat(aliasOf(MODELS - 1)))).status,
      (status) => status !== 404 && status !== 503,
      30_000,
    );
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const callEach = async (): Promise<Map<number, number>> => {
    const pool = new Pool(hub.url, { connections: CALLERS });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${hub.adminToken}` };
    const statuses = new Map<number, number>();
    let next = 0;
    const caller = async (): Promise<void> => {
      while (next < MODELS) {
        const body = JSON.stringify(aChat(aliasOf(next++), { user: pick(HOSTILE_TEXTS) }));
        const { statusCode, body: answer } = await pool.request({ path: CHAT, method: 'POST', headers, body });
        await answer.dump();
        statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    await pool.close();
    return statuses;
  };

  /** Reads until `over`; answers how many series each page had, and how long the slowest took. */
  const keepReading = async (over: AbortSignal): Promise<{ series: number[]; slowest: number }> => {
    const series: number[] = [];
    let slowest = 0;
    while (!over.aborted) {
      const from = performance.now();
      const page = await readMetrics(hub);
      slowest = Math.max(slowest, performance.now() - from);
      series.push(seriesOf(page).length);
      await sleep(READ_MILLISECONDS);
    }
    return { series, slowest };
  };

  it('stay small and valid, tell every call, and say nothing that was said', async () => {
    const over = new AbortController();
    const reading = keepReading(over.signal);
    const statuses = await callEach();
    over.abort();
    const { series, slowest } = await reading;
    const page = await readMetrics(hub);
    const told = seriesOf(page);
    const calls = told.filter(({ name }) => name === 'hub_calls_total');
    console.log(
      `${MODELS} models called, ${JSON.stringify(Object.fromEntries(statuses))}; ${series.length} pages read meanwhile, ` +
        `of ${told.length} series and ${Math.round(page.length / 1024)} kB in the end, the slowest in ${Math.round(slowest)} ms`,
    );

    expect(series.length).toBeGreaterThan(3);
    for (const count of [...series, told.length]) expect(count).toBeLessThan(MOST_SERIES);
    // Each once, and the last one before, until the hub knew it.
    expect(calls.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThanOrEqual(MODELS);
    expect(new Set(calls.map(({ labels }) => labels['alias'])).size).toBe(NAMED + 1);
    expect(told.find(({ name }) => name === 'hub_metrics_folded_aliases')?.value).toBe(MODELS - NAMED);
    expect(statuses.size).toBeGreaterThan(3);
    expect(page).not.toContain(SAID);
    expect(page).not.toContain('hub_forged_total');
    expect(foreignLabels(page)).toEqual([]);
    if (hasPromtool) expect(promtoolOf(page)).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
