// A receiver that is down for ten minutes, then slow, then answers 500 twice, while three storage processes deliver and
// each of them is killed once: every message arrives, each id once in effect, those of one rule in their order.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aWebhook } from '../factories/alert-channel.js';
import { aNotice, CHANNELS, openOutbox, type Outbox } from '../support/alerts.js';
import { rounds } from '../support/chaos.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Member } from '../support/fleet-member.js';
import { randomKeyRing } from '../support/hub.js';
import { freePort } from '../support/sockets.js';

const FAST_CLOCK = fileURLToPath(new URL('../support/fast-clock.js', import.meta.url));
/** The hub's clock goes so many times as fast; every wait of the queue goes by it, and none is changed. */
const RATE = rounds(25, 1);
const DOWN_SECONDS = 600;
/** Of the hub's clock: half the time an attempt may take. */
const SLOW_SECONDS = 7.5;
const RULES = 4;
const MESSAGES_PER_RULE = 6;
const TAKEN_BEFORE_REFUSALS = 15;
const REFUSALS = 2;
const CHANNEL_NAMES = ['first', 'second'];
const ALL = RULES * MESSAGES_PER_RULE * CHANNEL_NAMES.length;
const ADMIN_TOKEN = randomBytes(24).toString('base64url');
/** After ten minutes the wait is ten minutes once more; then the messages come one by one. */
const STORY_MILLISECONDS = ((2 * DOWN_SECONDS + 600) * 1000) / RATE + 120_000;

interface Arrival {
  id: string;
  channel: string;
  /** Such as `rule 2, message 5`. */
  subject: string;
  status: number;
}

/** Listens or does not, is slow or not, and refuses two messages of each channel that come after the first fifteen. */
class Receiver {
  readonly arrivals: Arrival[] = [];
  slowMilliseconds = 0;
  private server: Server | null = null;

  constructor(readonly port: number) {}

  async open(): Promise<void> {
    const server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => void this.answer(request.url ?? '', Buffer.concat(pieces), response));
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.server = server;
  }

  close(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private async answer(path: string, raw: Buffer, response: ServerResponse): Promise<void> {
    const channel = path.slice(1);
    const { id, alerts } = JSON.parse(raw.toString()) as { id: string; alerts: { subject: string }[] };
    const status = this.isToRefuse(channel) ? 500 : 200;
    // What it has read it has taken, whether or not the sender lives to hear of it.
    this.arrivals.push({ id, channel, subject: String(alerts[0]?.subject), status });
    await sleep(this.slowMilliseconds);
    response.writeHead(status).end();
  }

  private isToRefuse(channel: string): boolean {
    const before = this.arrivals.filter((arrival) => arrival.channel === channel);
    const taken = new Set(before.filter(({ status }) => status === 200).map(({ id }) => id));
    return taken.size >= TAKEN_BEFORE_REFUSALS && before.filter(({ status }) => status === 500).length < REFUSALS;
  }
}

describe('a receiver that is down for ten minutes, then slow, then answers 500 twice', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-test-data-'));
  let database: TestDatabase;
  let outbox: Outbox;
  let receiver: Receiver;
  let members: Member[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    // What the hub itself would tell of the killed processes is another story.
    await database.query('UPDATE alert_rules SET is_enabled = false');
    outbox = await openOutbox(database);
    receiver = new Receiver(await freePort());
    const env = {
      SERVICE_ROLE: 'storage',
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
      ENCRYPTION_KEYS: randomKeyRing(),
      ADMIN_TOKEN,
      STORAGE_SERVICE_TOKEN: randomBytes(24).toString('base64url'),
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
      NODE_OPTIONS: `--import=${FAST_CLOCK}`,
      FAST_CLOCK_RATE: String(RATE),
      FAST_CLOCK_FROM: String(Date.now()),
    };
    members = await Promise.all(['a', 'b', 'c'].map((name) => Member.start(name, env)));
    for (const name of CHANNEL_NAMES) await createChannel(name);
  });
  afterAll(async () => {
    await Promise.all(members.map((member) => member.stop('SIGKILL')));
    receiver.close();
    await outbox.close();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const createChannel = async (name: string): Promise<void> => {
    const answer = await fetch(`${members[0]?.url}${CHANNELS}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(aWebhook({ name, url: `http://127.0.0.1:${receiver.port}/${name}` })),
    });
    expect(answer.status).toBe(201);
  };
  const enqueue = async (): Promise<void> => {
    for (let number = 1; number <= MESSAGES_PER_RULE; number += 1) {
      for (let rule = 1; rule <= RULES; rule += 1) {
        const notice = aNotice();
        const alerts = notice.alerts.map((alert) => ({ ...alert, subject: `rule ${rule}, message ${number}` }));
        expect(await outbox.send({ notice: { ...notice, alerts }, orderKey: `rule:${rule}` })).toBe(2);
      }
    }
  };
  const stateCounts = async (): Promise<Record<string, number>> => {
    const rows = await database.query<{ state: string; count: number }>(
      'SELECT state, count(*)::int AS count FROM alert_notifications GROUP BY state',
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  };
  const taken = (): Arrival[] => receiver.arrivals.filter(({ status }) => status === 200);
  const untilTaken = async (count: number): Promise<void> => {
    const end = Date.now() + STORY_MILLISECONDS;
    while (new Set(taken().map(({ id }) => id)).size < count) {
      if (Date.now() > end) throw new Error(`${taken().length} of ${count}: ${JSON.stringify(await stateCounts())}`);
      await sleep(20);
    }
  };

  it(
    'gets every message, each id once in effect, those of a rule in their order, though processes are killed',
    async () => {
      const start = Date.now();
      const clock = (): string => `${Math.round(((Date.now() - start) * RATE) / 1000)} s`;
      await enqueue();
      await sleep((DOWN_SECONDS * 1000) / RATE / 2);
      await members[0]?.stop('SIGKILL');
      await members[0]?.start();
      await sleep(start + (DOWN_SECONDS * 1000) / RATE - Date.now());
      const [down] = await database.query<{ attempts: number; waiting: number }>(
        `SELECT sum(attempts)::int AS attempts, count(*) FILTER (WHERE state = 'queued')::int AS waiting
         FROM alert_notifications`,
      );
      expect(down?.waiting).toBe(ALL);

      receiver.slowMilliseconds = (SLOW_SECONDS * 1000) / RATE;
      await receiver.open();
      // One is killed while it waits for the answer to a message: with one left, it is certainly the one.
      await untilTaken(2);
      const first = clock();
      await Promise.all(members.slice(1).map((member) => member.stop('SIGKILL')));
      await Promise.all(members.slice(1).map((member) => member.start()));
      await untilTaken(ALL / 4);
      await members[0]?.stop('SIGKILL');
      await members[0]?.start();
      await untilTaken(ALL);
      const end = Date.now() + 30_000;
      while (((await stateCounts())['delivered'] ?? 0) < ALL && Date.now() < end) await sleep(50);

      const ids = await database.query<{ id: string }>('SELECT id FROM alert_notifications');
      const repeated = taken().length - ALL;
      console.log(
        `${ALL} messages, ${down?.attempts} attempts while it was down, the first taken after ${first}, the last after ${clock()} of the hub's clock (${RATE} times the real one); ${repeated} came again after a kill`,
      );
      expect(await stateCounts()).toEqual({ delivered: ALL });
      expect(new Set(taken().map(({ id }) => id))).toEqual(new Set(ids.map(({ id }) => id)));
      // Three processes were killed with a message under way, each of which may come again, once: under its old id.
      expect(repeated).toBeLessThanOrEqual(2 * CHANNEL_NAMES.length);
      const refused = receiver.arrivals.filter(({ status }) => status === 500);
      expect(refused).toHaveLength(REFUSALS * CHANNEL_NAMES.length);
      expect(inEffect(receiver.arrivals)).toEqual(expectedOrder());
      const errors = members.flatMap(({ output }) => output.split('\n').filter((line) => /"level":"error"/.test(line)));
      expect(errors).toEqual([]);
    },
    STORY_MILLISECONDS + 60_000,
  );
});

/** What a receiver that knows the ids it has has seen, by channel and rule. */
const inEffect = (arrivals: readonly Arrival[]): Record<string, string[]> => {
  const known = new Set<string>();
  const seen: Record<string, string[]> = {};
  for (const { id, channel, subject, status } of arrivals) {
    if (status !== 200 || known.has(id)) continue;
    known.add(id);
    const [rule = '', message = ''] = subject.split(', ');
    (seen[`${channel}, ${rule}`] ??= []).push(message);
  }
  return seen;
};

const expectedOrder = (): Record<string, string[]> => {
  const messages = Array.from({ length: MESSAGES_PER_RULE }, (_, index) => `message ${index + 1}`);
  const rules = Array.from({ length: RULES }, (_, index) => `rule ${index + 1}`);
  return Object.fromEntries(CHANNEL_NAMES.flatMap((channel) => rules.map((rule) => [`${channel}, ${rule}`, messages])));
};
