import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aChat } from '../support/calls.js';
import { aModelConfig } from '../factories/model-config.js';
import { percentile } from '../support/chaos.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHubProcess, type HubProcess } from '../support/hub-process.js';
import { CONFIGS, randomKeyRing } from '../support/hub.js';
import { drive, watchLatency } from '../support/load.js';
import { launchProvider, type ProviderProcess } from '../support/provider-process.js';

const TOKEN = 'overload-token-0123456789-0123456789';

describe('x', () => {
  let database: TestDatabase;
  let hub: HubProcess;
  let provider: ProviderProcess;
  let alias = '';
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-overload-'));
  beforeAll(async () => {
    database = await createTestDatabase();
    provider = await launchProvider(Number(process.env['DELAY'] ?? 20));
    hub = await startHubProcess({
      PORT: '0', DATABASE_URL: database.url, DATA_DIR: dataDir, ENCRYPTION_KEYS: randomKeyRing(), ADMIN_TOKEN: TOKEN,
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*', LOG_LEVEL: 'warn',
    });
    const body = aModelConfig({ api_base: provider.url, max_retries: 0 });
    alias = String(body['alias']);
    const answer = await fetch(hub.url + CONFIGS, { method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' } });
    expect(answer.status).toBe(201);
    await new Promise((r) => setTimeout(r, 1500));
  });
  afterAll(async () => {
    await hub.stop();
    provider.stop();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  it('measure', async () => {
    const json = JSON.stringify(aChat(alias));
    const request = Buffer.from(`POST /v1/chat/completions HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n${json}`);
    const rows: string[] = [];
    for (const callers of [10, 10, 30, 100, 300, 1000, 3000, 30]) {
      const live = watchLatency(`${hub.url}/health/live`);
      const report = await drive(hub.url, { callers, milliseconds: 5000, request });
      const { latencies, failures } = await live.stop();
      rows.push(`${callers} callers: ${JSON.stringify(report.statuses)} ${Math.round(report.perSecond(200))}/s p50 ${Math.round(percentile(report.latencies, 0.5))} p99 ${Math.round(percentile(report.latencies, 0.99))} live p50 ${Math.round(percentile(latencies, 0.5))} p99 ${Math.round(percentile(latencies, 0.99))} n${latencies.length} fail ${failures}`);
    }
    console.log(rows.join('\n'));
    expect(hub.output()).toBe('');
  });
});
