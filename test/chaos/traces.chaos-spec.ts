// A collector of traces that hangs, dribbles, refuses and is gone: calls take no longer than in a process without traces,
// and the process ends in time.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aChat, call, saveModel, until } from '../support/calls.js';
import { percentile, rounds } from '../support/chaos.js';
import { startFakeCollector, type FakeCollector } from '../support/fake-collector.js';
import { startFakeProvider, type FakeProvider } from '../support/fake-provider.js';
import { startHub, type TestHub } from '../support/hub.js';
import { startHubProcess, type HubProcess } from '../support/hub-process.js';
import { startSteadyLoad, type Entry } from '../support/steady-load.js';

const MODULE_LOG = new URL('../support/module-log.js', import.meta.url).href;
/** Its API alone is loaded by prom-client, too. */
const OPEN_TELEMETRY = /\/node_modules\/@opentelemetry\/(?!api\/)/;
const CALLS_PER_SECOND = 40;
const MILLISECONDS = rounds(3000, 20_000);
/** What a timer of the test itself may be late: below it a factor says nothing. */
const NOISE_MILLISECONDS = 20;
const SHUTDOWN_SECONDS = 10;
const STORY_MILLISECONDS = 120_000 + 5 * MILLISECONDS;

const TROUBLES: Record<string, (response: ServerResponse) => void> = {
  hangs: () => undefined,
  'answers byte by byte': (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 100);
    response.on('close', () => clearInterval(timer));
  },
  refuses: (response) => void response.writeHead(503, { 'retry-after': '1' }).end('not now'),
  'cuts the connection': (response) => void response.destroy(),
};

const medianOf = (entries: readonly Entry[]): number =>
  percentile(
    entries.map(({ milliseconds }) => milliseconds),
    0.5,
  );

describe('A collector in trouble', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-chaos-traces-'));
  let collector: FakeCollector;
  let provider: FakeProvider;
  let storage: TestHub;
  let traced: HubProcess;
  /** The same without traces, for comparison. */
  let plain: HubProcess;
  let alias: unknown;

  const start = (name: string, more: Record<string, string>): Promise<HubProcess> =>
    startHubProcess({
      SERVICE_ROLE: 'ai-model',
      PORT: '0',
      STORAGE_SERVICE_URL: storage.url,
      STORAGE_SERVICE_TOKEN: storage.serviceToken,
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
      DATA_DIR: join(directory, name),
      SHUTDOWN_TIMEOUT: String(SHUTDOWN_SECONDS),
      NODE_OPTIONS: `--import=${MODULE_LOG}`,
      MODULE_LOG: join(directory, `${name}.modules`),
      ...more,
    });
  const modulesOf = (name: string): string => readFileSync(join(directory, `${name}.modules`), 'utf8');

  /** Calls of both at the same time, so that a slow moment of the machine meets both. */
  const callBoth = async (): Promise<{ withTraces: readonly Entry[]; without: readonly Entry[] }> => {
    const loads = [traced, plain].map(({ url }) =>
      startSteadyLoad(CALLS_PER_SECOND, () => ({
        kind: url,
        answer: call({ url, adminToken: storage.adminToken }, aChat(alias)),
      })),
    );
    await new Promise((resolve) => setTimeout(resolve, MILLISECONDS));
    const [withTraces = [], without = []] = await Promise.all(loads.map((load) => load.stop()));
    return { withTraces, without };
  };

  beforeAll(async () => {
    [collector, provider] = await Promise.all([startFakeCollector(), startFakeProvider()]);
    storage = await startHub({ env: { SERVICE_ROLE: 'storage' } });
    ({ alias } = await saveModel(storage, { api_base: provider.url }));
    traced = await start('traced', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    plain = await start('plain', {});
    for (const { url } of [traced, plain]) {
      await until(
        async () => (await call({ url, adminToken: storage.adminToken }, aChat(alias))).status,
        (status) => status === 200,
      );
    }
  }, STORY_MILLISECONDS);
  afterAll(async () => {
    await Promise.all([traced?.stop('SIGKILL'), plain?.stop('SIGKILL')]);
    await storage?.close();
    await Promise.all([provider.close(), collector.close()]);
    rmSync(directory, { recursive: true, force: true });
  });

  it('is loaded for only where there is one', () => {
    expect(modulesOf('traced')).toMatch(OPEN_TELEMETRY);
    expect(modulesOf('plain')).not.toMatch(OPEN_TELEMETRY);
  });

  it.each(Object.keys(TROUBLES))(
    'costs no call when it %s',
    async (trouble) => {
      collector.answerWith(TROUBLES[trouble] ?? (() => undefined));
      const before = collector.exports.length;
      const { withTraces, without } = await callBoth();
      const [median, baseline] = [medianOf(withTraces), medianOf(without)];
      console.log(`${trouble}: median ${median.toFixed(1)} ms, without traces ${baseline.toFixed(1)} ms`);
      expect(withTraces.length).toBeGreaterThan((CALLS_PER_SECOND * MILLISECONDS) / 2000);
      expect(new Set([...withTraces, ...without].map(({ status }) => status))).toEqual(new Set([200]));
      expect(median).toBeLessThan(2 * baseline + NOISE_MILLISECONDS);
      // Whoever is still being waited for from before comes first.
      await until(
        () => collector.exports.length,
        (count) => count > before,
        20_000,
      );
    },
    STORY_MILLISECONDS,
  );

  it(
    'is told of once, and keeps the process no longer than a second from its end',
    async () => {
      collector.answerWith(TROUBLES['hangs'] ?? (() => undefined));
      const first = await call({ url: traced.url, adminToken: storage.adminToken }, aChat(alias));
      expect(first.status).toBe(200);
      const endOf = async (hub: HubProcess): Promise<number> => {
        const startedAt = performance.now();
        expect(await hub.stop()).toBe(0);
        return performance.now() - startedAt;
      };
      const [withTraces, without] = await Promise.all([endOf(traced), endOf(plain)]);
      console.log(`ended after ${withTraces.toFixed(0)} ms, without traces after ${without.toFixed(0)} ms`);
      expect(withTraces).toBeLessThan(SHUTDOWN_SECONDS * 1000);
      expect(withTraces - without).toBeLessThan(1000 + 100 * NOISE_MILLISECONDS);
      const told = traced.output().match(/^.*"context":"Traces".*$/gm) ?? [];
      expect(told).toEqual([expect.stringContaining('does not take traces')]);
    },
    STORY_MILLISECONDS,
  );
});
