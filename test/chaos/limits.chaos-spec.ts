// What the machine does to a process: its clock is set, its files run out, its memory is short.
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aChat, CHAT, elapsed, until } from '../support/calls.js';
import { startFakeProvider, politeScript, type FakeProvider } from '../support/fake-provider.js';
import { CONFIGS } from '../support/hub.js';
import { drive } from '../support/load.js';
import { startRemoteHub, type RemoteHub } from '../support/remote-hub.js';

const MOVED_CLOCK = fileURLToPath(new URL('../support/moved-clock.js', import.meta.url));
const HALF_AN_HOUR = 1_800_000;

let hub: RemoteHub;
let provider: FakeProvider;
beforeEach(async () => void (provider = await startFakeProvider()));
afterEach(async () => {
  await hub.close();
  await provider.close();
});

const callable = async (alias: unknown, token?: string): Promise<number> =>
  (await hub.ask('POST', CHAT, aChat(alias), token)).status;
const statusOf = async (path: string): Promise<number> => (await hub.ask('GET', path)).status;

describe('a clock that is set an hour forward, an hour back, and right', () => {
  const FAILURES = 5;

  const move = async (): Promise<void> => {
    const before = hub.process.output().split('clock moved').length;
    hub.process.child.kill('SIGUSR2');
    await until(
      () => hub.process.output().split('clock moved').length,
      (count) => count === before + 1,
    );
  };

  it('ends no wait early or late, gives and takes no allowance, and changes what it should: when a token expires', async () => {
    hub = await startRemoteHub({
      NODE_OPTIONS: `--import=${MOVED_CLOCK}`,
      AUTH_FAILURES_PER_MINUTE: String(FAILURES),
    });
    const { alias } = await hub.save({ api_base: provider.url });
    const limited = await hub.save({ api_base: provider.url, rate_limit_per_minute: 2 });
    const slow = await hub.save({ api_base: provider.url, request_timeout: 3 });
    const created = await hub.ask('POST', '/api/v1/tokens', {
      name: 'half an hour',
      scopes: ['invoke'],
      expires_at: new Date(Date.now() + HALF_AN_HOUR).toISOString(),
    });
    const token = String(created.json['token']);
    await until(
      () => callable(alias, token),
      (status) => status === 200,
    );
    expect([await callable(limited['alias']), await callable(limited['alias'])]).toEqual([200, 200]);
    expect(await callable(limited['alias'])).toBe(429);
    const guess = (): Promise<number> => callable(alias, `x${'y'.repeat(40)}`);
    await until(guess, (status) => status === 429);

    for (const [where, ofToken] of [
      ['ahead', 401],
      ['behind', 200],
      ['right', 200],
    ] as const) {
      // A call is under way while the clock moves: it has its three seconds all the same.
      provider.answerWith((call, response) =>
        call.body['model'] === slow['model_name'] && call.raw.includes('slowly')
          ? undefined
          : politeScript(call, response),
      );
      const slowly = elapsed(() =>
        hub.ask('POST', CHAT, { ...aChat(slow['alias']), messages: [{ role: 'user', content: 'slowly' }] }),
      );
      await sleep(500);
      await move();
      expect([where, await guess()]).toEqual([where, 429]);
      expect([where, await callable(limited['alias'])]).toEqual([where, 429]);
      expect([where, await callable(alias, token)]).toEqual([where, ofToken === 401 ? 429 : 200]);
      expect([where, await callable(alias)]).toEqual([where, 200]);
      const { value, milliseconds } = await slowly;
      expect([where, value.status]).toEqual([where, 504]);
      expect(milliseconds).toBeGreaterThan(2900);
      expect(milliseconds).toBeLessThan(5000);
      // What is written is called a moment later.
      const fresh = await hub.save({ api_base: provider.url });
      await until(
        () => callable(fresh['alias']),
        (status) => status === 200,
        5000,
      );
    }
    // Five a minute come back, not five a move, and not never.
    await until(guess, (status) => status === 401, 30_000);
    expect(await statusOf('/health/ready')).toBe(200);
  });
});

describe('a process without a file descriptor left', () => {
  const CONNECTIONS = 300;
  const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
  const test = hasPrlimit ? it : it.skip;

  test('loses nothing that it acknowledged, and serves as soon as there are some again', async () => {
    hub = await startRemoteHub();
    const { alias, id } = await hub.save({ api_base: provider.url });
    await until(
      () => callable(alias),
      (status) => status === 200,
    );
    const limit = (count: number): void =>
      void spawnSync('prlimit', ['--pid', String(hub.process.child.pid), `--nofile=${count}:`]);
    limit(100);
    const { hostname, port } = new URL(hub.url);
    const sockets: Socket[] = Array.from({ length: CONNECTIONS }, () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.write('GET /health/live HTTP/1.1\r\nhost: hub\r\n\r\n');
      return socket;
    });
    let acknowledged = 0;
    for (let priority = 1; priority <= 20; priority += 1) {
      const written = await hub.ask('PUT', `${CONFIGS}/${String(id)}`, { priority }).catch(() => null);
      if (written?.status === 200) acknowledged = priority;
      await sleep(50);
    }
    for (const socket of sockets) socket.destroy();
    await until(
      () => statusOf('/health/live').catch(() => 0),
      (status) => status === 200,
      10_000,
    );
    await until(
      () => callable(alias),
      (status) => status === 200,
      10_000,
    );
    const stored = Number((await hub.ask('GET', `${CONFIGS}/${String(id)}`)).json['priority']);
    expect(stored).toBeGreaterThanOrEqual(acknowledged);
    expect(hub.process.child.exitCode).toBeNull();
    expect(hub.process.output()).not.toMatch(/"level":"fatal"/);
  });
});

describe('a process of 96 MB of heap', () => {
  it('serves three hundred callers and bodies of 10 MB, and lives', async () => {
    hub = await startRemoteHub({ NODE_OPTIONS: '--max-old-space-size=96' });
    const { alias } = await hub.save({ api_base: provider.url });
    await until(
      () => callable(alias),
      (status) => status === 200,
    );
    const large = { ...aChat(alias), messages: [{ role: 'user', content: 'x'.repeat(10 * 1024 * 1024) }] };
    const body = JSON.stringify(aChat(alias));
    const request = Buffer.from(
      `POST ${CHAT} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer ${hub.adminToken}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const load = drive(hub.url, { callers: 300, milliseconds: 8000, request });
    const statuses: number[] = [];
    for (let round = 0; round < 10; round += 1) statuses.push((await hub.ask('POST', CHAT, large)).status);
    const report = await load;
    console.log(`limits: 96 MB of heap, ${Math.round(report.perSecond(200))} calls/s`);
    expect(statuses).toEqual(Array.from({ length: 10 }, () => 200));
    expect(Object.keys(report.statuses)).toEqual(['200']);
    expect(hub.process.child.exitCode).toBeNull();
  });
});
