// Ten times as many callers as the hub needs to be at its best, none of whom pauses.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aModelConfig } from '../factories/model-config.js';
import { aChat, until } from '../support/calls.js';
import { isLong, percentile, rounds } from '../support/chaos.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHubProcess, type HubProcess } from '../support/hub-process.js';
import { CONFIGS, randomKeyRing } from '../support/hub.js';
import { drive, watchLatency, type LoadReport } from '../support/load.js';
import { costOf } from '../support/process-cost.js';
import { launchProvider, type ProviderProcess } from '../support/provider-process.js';

const TOKEN = 'overload-token-0123456789-0123456789';
const PROVIDER_MILLISECONDS = 20;
const CALLERS = [100, 300];
const TIMES = 10;
const WARM_UP = 2_000;
const RAMP_UP = 2_000;
const PEAK = 5_000;
const OVERLOAD = rounds(7_000, 60_000);
const ROUNDS = 3;
const GOODPUT_SHARE = rounds(0.7, 0.8);
const LIVE_MILLISECONDS = 250;
const RECOVERY_MILLISECONDS = 10_000;
const RECOVERED_AFTER = 8_000;

interface Phase {
  /** Good answers, once all are connected. */
  perSecond: number;
  /** Good answers per second of the hub's own time, which what else the machine does takes nothing away from. */
  perCpuSecond: number;
  /** p99 of `/health/live`, milliseconds. */
  live: number;
  report: LoadReport;
}

describe('ten times the load', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-overload-'));
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  let database: TestDatabase;
  let hub: HubProcess;
  let provider: ProviderProcess;
  let request: Buffer;

  beforeAll(async () => {
    [database, provider] = await Promise.all([createTestDatabase(), launchProvider(PROVIDER_MILLISECONDS)]);
    hub = await startHubProcess({
      PORT: '0',
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
      ENCRYPTION_KEYS: randomKeyRing(),
      ADMIN_TOKEN: TOKEN,
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
    });
    const model = aModelConfig({ api_base: provider.url, max_retries: 0 });
    const saved = await fetch(hub.url + CONFIGS, { method: 'POST', headers, body: JSON.stringify(model) });
    expect(saved.status).toBe(201);
    const body = JSON.stringify(aChat(model['alias']));
    request = Buffer.from(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer ${TOKEN}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const called = (): Promise<number> =>
      fetch(`${hub.url}/v1/chat/completions`, { method: 'POST', headers, body }).then(({ status }) => status);
    await until(called, (status) => status === 200, 10_000);
  });
  afterAll(async () => {
    await hub.stop();
    provider.stop();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const play = async (callers: number, milliseconds: number): Promise<Phase> => {
    const watch = await watchLatency(`${hub.url}/health/live`);
    const start = costOf(hub.child.pid);
    const report = await drive(hub.url, { callers, milliseconds, request });
    const end = costOf(hub.child.pid);
    const { latencies, failures } = await watch.stop();
    // Without the beginning, when all connect, and with as many calls under way at the end as there were at its start.
    const steady = report.completedAt.filter((at) => at > RAMP_UP).length;
    const cpuSeconds = start && end ? (end.cpuMilliseconds - start.cpuMilliseconds) / 1000 : Number.NaN;
    const phase = {
      perSecond: (steady * 1000) / (milliseconds - RAMP_UP),
      perCpuSecond: report.completedAt.length / cpuSeconds,
      live: percentile(latencies, 0.99),
      report,
    };
    console.log(
      `overload: ${callers} callers, ${Math.round(phase.perSecond)} calls/s, ${Math.round(phase.perCpuSecond)} per CPU second, ` +
        `p99 ${Math.round(percentile(report.latencies, 0.99))} ms, live p99 ${Math.round(phase.live)} ms of ${latencies.length}, ` +
        `${Math.round(end?.residentMegabytes ?? 0)} MB, statuses ${JSON.stringify(report.statuses)}`,
    );
    expect(failures).toBe(0);
    return phase;
  };

  it('leaves most of the peak, a process that says it lives, and no trace ten seconds later', async () => {
    await drive(hub.url, { callers: 100, milliseconds: WARM_UP, request });
    const tried: Phase[] = [];
    for (const callers of CALLERS) tried.push(await play(callers, PEAK));
    const [few, many] = tried as [Phase, Phase];
    const callers = CALLERS[few.perSecond > many.perSecond ? 0 : 1] ?? 0;

    // In turns: what else the machine has to do is in both alike.
    const shares: number[] = [];
    const cpuShares: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const peak = await play(callers, PEAK);
      const overload = await play(callers * TIMES, OVERLOAD);
      shares.push(overload.perSecond / peak.perSecond);
      cpuShares.push(overload.perCpuSecond / peak.perCpuSecond);
      expect(overload.live).toBeLessThan(Math.max(LIVE_MILLISECONDS, 3 * peak.live));
      // Answered, refused with a reason, or not at all; nothing is an error of the hub.
      const others = Object.keys(overload.report.statuses).filter((status) => !['200', '429', '503'].includes(status));
      expect(others).toEqual([]);
    }
    const after = await play(CALLERS[0] ?? 0, RECOVERY_MILLISECONDS);
    const late = after.report.latencies.filter((_, index) => (after.report.completedAt[index] ?? 0) > RECOVERED_AFTER);
    const usual = percentile(few.report.latencies, 0.5);
    const inPercent = (values: number[]): string => values.map((share) => Math.round(100 * share)).join(', ');
    console.log(
      `overload: ${inPercent(shares)} % of the peak's goodput, ${inPercent(cpuShares)} % per CPU second; ` +
        `after it ${Math.round(percentile(late, 0.5))} ms a call, ${Math.round(usual)} ms before`,
    );
    // The clock on the wall counts where nobody else is on the machine.
    expect(percentile(isLong ? shares : cpuShares, 0.5)).toBeGreaterThan(GOODPUT_SHARE);
    expect(percentile(late, 0.5)).toBeLessThan(Math.max(LIVE_MILLISECONDS, 3 * usual));
    expect(hub.child.exitCode).toBeNull();
  });
});
