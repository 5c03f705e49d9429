// Messages on their way to a channel: signed, in their order, under one id in every attempt, given up where all can see it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { NotificationRetention } from '../src/storage/notification/notification-retention.js';
import { aWebhook } from './factories/alert-channel.js';
import { aNotice, CHANNELS, NOTIFICATIONS, openOutbox, type Outbox } from './support/alerts.js';
import {
  type FakeProvider,
  type ReceivedCall,
  sendJson,
  type Script,
  startFakeProvider,
} from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';

type Body = Record<string, unknown>;

const WAIT_MILLISECONDS = 15_000;
const TRIED = `SELECT id FROM alert_notifications
  WHERE notice #>> '{alerts,0,subject}' = $1 AND attempts = $2 AND leased_until IS NULL`;
const UNREACHED = 'Messages do not reach the channel';
const REACHED_AGAIN = 'Messages reach the channel again';
const take: Script = (_call, response) => sendJson(response, 200, {});
const refuse =
  (status: number, headers: Record<string, string> = {}): Script =>
  (_call, response) =>
    sendJson(response, status, { error: 'not now' }, headers);

describe('the delivery of messages', () => {
  let hub: TestHub;
  let receiver: FakeProvider;
  let outbox: Outbox;
  beforeAll(async () => {
    [hub, receiver] = await Promise.all([startHub(), startFakeProvider()]);
    outbox = await openOutbox(hub.database);
  });
  afterAll(async () => {
    await outbox.close();
    await Promise.all([hub.close(), receiver.close()]);
  });
  beforeEach(() => {
    receiver.calls.length = 0;
    receiver.answerWith(take);
  });
  afterEach(async () => {
    await hub.database.query('DELETE FROM alert_notifications');
    await hub.database.query('DELETE FROM alert_channels');
  });

  const create = async (fields: Body = {}): Promise<Body> => {
    const body = aWebhook({ url: receiver.url, ...fields });
    return (await hub.request('post', CHANNELS).send(body).expect(201)).body as Body;
  };
  const list = async (query = ''): Promise<Body[]> => {
    const { body } = await hub.request('get', `${NOTIFICATIONS}${query}`).expect(200);
    return (body as { notifications: Body[] }).notifications;
  };
  const until = async <Value>(look: () => Value | Promise<Value>, isIt: (value: Value) => boolean): Promise<Value> => {
    for (const end = Date.now() + WAIT_MILLISECONDS; ; await sleep(20)) {
      const value = await look();
      if (isIt(value)) return value;
      if (Date.now() > end) throw new Error(`Waited in vain: ${JSON.stringify(value)}`);
    }
  };
  const untilStates = (...states: string[]): Promise<Body[]> =>
    until(list, (found) => JSON.stringify(found.map(({ state }) => state)) === JSON.stringify(states));
  const untilAttempts = (attempts: number): Promise<Body[]> =>
    until(list, ([message]) => message?.['attempts'] === attempts && message['last_error'] !== null);
  /** So many attempts are over. */
  const untilTried = (subject: string, attempts: number): Promise<unknown> =>
    until(
      () => hub.database.query(TRIED, [subject, attempts]),
      (rows) => rows.length === 1,
    );
  /** What the backoff waits for has come. */
  const passTime = (): Promise<unknown> =>
    hub.database.query(`UPDATE alert_notifications SET next_attempt_at = now() - interval '1 second'`);
  const subjectsOf = (calls: readonly ReceivedCall[]): unknown[] =>
    calls.map(({ body }) => (body['alerts'] as { subject: string }[])[0]?.subject);
  const aboutModel = (subject: string): ReturnType<typeof aNotice> => {
    const notice = aNotice();
    return { ...notice, alerts: notice.alerts.map((alert) => ({ ...alert, subject })) };
  };
  const countSaid = (words: string): number => hub.logs().split(words).length - 1;
  const metric = async (name: string): Promise<number> => {
    const { text } = await hub.request('get', '/metrics').expect(200);
    return Number(new RegExp(`^hub_alert_${name}\\{channel_kind="webhook"\\} (\\d+)$`, 'm').exec(text)?.[1]);
  };

  it('reaches the channels that want it, each under an id of its own, signed as Standard Webhooks says', async () => {
    const key = randomBytes(32);
    await create({ name: 'signed', url: `${receiver.url}/signed`, secret: `whsec_${key.toString('base64')}` });
    await create({ name: 'plain-text', url: `${receiver.url}/plain`, secret: 'a secret that is a text' });
    await create({ name: 'unsigned', url: `${receiver.url}/unsigned`, min_severity: 'warning' });
    await create({ name: 'urgent', url: `${receiver.url}/urgent`, min_severity: 'critical' });
    await create({ name: 'off', url: `${receiver.url}/off`, is_enabled: false });
    expect(await outbox.send({ severity: 'warning' })).toBe(3);
    expect(await outbox.send({ severity: 'critical', channels: ['urgent', 'off'], orderKey: 'rule:2' })).toBe(1);
    await untilStates('delivered', 'delivered', 'delivered', 'delivered');
    const calls = new Map(receiver.calls.map((call) => [call.path, call]));
    expect([...calls.keys()].sort()).toEqual(['/v1/plain', '/v1/signed', '/v1/unsigned', '/v1/urgent']);
    const ids = [...calls.values()].map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids)).toEqual(new Set((await list()).map(({ id }) => id)));
    for (const [path, secret] of [
      ['/v1/signed', key],
      ['/v1/plain', Buffer.from('a secret that is a text')],
    ] as const) {
      const { headers, raw } = calls.get(path) as ReceivedCall;
      const signed = Buffer.concat([
        Buffer.from(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.`),
        raw,
      ]);
      const expected = createHmac('sha256', secret).update(signed).digest('base64');
      expect(headers['webhook-signature']).toBe(`v1,${expected}`);
      expect(Math.abs(Number(headers['webhook-timestamp']) * 1000 - Date.now())).toBeLessThan(60_000);
    }
    expect(calls.get('/v1/unsigned')?.headers['webhook-signature']).toBeUndefined();
    const { rule, alerts } = aNotice();
    expect(calls.get('/v1/signed')?.body).toMatchObject({
      id: calls.get('/v1/signed')?.headers['webhook-id'],
      event: 'firing',
      at: '2026-11-25T10:00:00.000Z',
      severity: 'critical',
      text: { title: expect.stringContaining('模型 fast'), body: expect.stringContaining('error-rate') },
      link: null,
      rule,
      alerts,
      more: 0,
    });
  });

  it('is tried again under the same id, and what comes after it waits; other rules do not', async () => {
    const { id } = await create();
    const failures = await metric('delivery_failures_total');
    receiver.answerWith((call, response) => (subjectsOf([call])[0] === 'first' ? refuse(500) : take)(call, response));
    await outbox.send({ notice: aboutModel('first') });
    await outbox.send({ notice: aboutModel('second') });
    await outbox.send({ notice: aboutModel('other'), orderKey: 'rule:2' });
    await untilStates('delivered', 'queued', 'queued');
    await untilTried('first', 1);
    for (const attempts of [2, 3]) {
      await passTime();
      await untilTried('first', attempts);
    }
    receiver.answerWith(take);
    expect((await hub.request('get', `${CHANNELS}/${String(id)}`)).body).toMatchObject({
      last_error: expect.stringMatching(/^The receiver answered 500: .*not now/),
    });
    await until(
      () => metric('delivery_failures_total'),
      (value) => value === failures + 3,
    );
    await passTime();
    await untilStates('delivered', 'delivered', 'delivered');
    const subjects = subjectsOf(receiver.calls);
    expect(subjects.filter((subject) => subject !== 'other')).toEqual(['first', 'first', 'first', 'first', 'second']);
    const firsts = receiver.calls.filter((call) => subjectsOf([call])[0] === 'first');
    expect(new Set(firsts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect((await hub.request('get', `${CHANNELS}/${String(id)}`)).body).toMatchObject({ last_error: null });
  });

  it('waits as long as the receiver asks for', async () => {
    await create();
    receiver.answerWith(refuse(503, { 'retry-after': '90' }));
    const before = Date.now();
    await outbox.send();
    const [message] = await untilAttempts(1);
    const wait = Date.parse(String(message?.['next_attempt_at'])) - before;
    expect(wait).toBeGreaterThanOrEqual(90_000);
    expect(wait).toBeLessThan(90_000 + WAIT_MILLISECONDS);
  });

  it('counts any 2xx, however long, broken or compressed the rest of the answer is', async () => {
    await create();
    const answers: Script[] = [
      (_call, response) => void response.writeHead(202).end('x'.repeat(1_000_000)),
      (_call, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('taken')),
      (_call, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half');
        setTimeout(() => response.destroy(), 20);
      },
    ];
    receiver.answerWith((call, response) => answers[receiver.calls.length - 1]?.(call, response));
    for (const _answer of answers) await outbox.send();
    await untilStates('delivered', 'delivered', 'delivered');
    expect(receiver.calls).toHaveLength(3);
  });

  it('is given up after 24 hours, visibly, and goes on under its id when somebody says so', async () => {
    await create({ name: 'given-up' });
    receiver.answerWith(refuse(500));
    await outbox.send();
    const [queued] = await untilAttempts(1);
    const hours = (Date.parse(String(queued?.['give_up_at'])) - Date.parse(String(queued?.['created_at']))) / 3_600_000;
    expect(hours).toBe(24);
    const early = await hub.request('post', `${NOTIFICATIONS}/${String(queued?.['id'])}/retry`).expect(409);
    expect(early.body).toMatchObject({ code: 'conflict', detail: expect.stringMatching(/this one is queued/) });
    const givenUp = await metric('notifications_given_up_total');
    const saidBefore = [countSaid(UNREACHED), countSaid(REACHED_AGAIN)];
    await hub.database.query(`UPDATE alert_notifications SET give_up_at = now() + interval '10 seconds'`);
    await passTime();
    const [message] = await untilStates('given_up');
    expect(message).toMatchObject({
      channel_name: 'given-up',
      attempts: 2,
      next_attempt_at: null,
      settled_at: expect.any(String),
      last_error: expect.stringMatching(/^The receiver answered 500/),
    });
    expect(countSaid('A message was given up')).toBe(1);
    expect(await metric('notifications_given_up_total')).toBe(givenUp + 1);
    expect(await list('?state=given_up&channel=given-up')).toHaveLength(1);
    expect([await list('?state=delivered'), await list('?channel=other')]).toEqual([[], []]);
    receiver.answerWith(take);
    const retried = await hub.request('post', `${NOTIFICATIONS}/${String(message?.['id'])}/retry`).expect(200);
    expect(retried.body).toMatchObject({ id: message?.['id'], state: 'queued', attempts: 0 });
    await untilStates('delivered');
    expect(new Set(receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    // Once each, however many attempts there were.
    await until(
      () => countSaid(REACHED_AGAIN),
      (count) => count === (saidBefore[1] ?? 0) + 1,
    );
    expect(countSaid(UNREACHED)).toBe(saidBefore[0]);
    const { body } = await hub.request('post', `${NOTIFICATIONS}/${randomUUID()}/retry`).expect(404);
    expect(body).toMatchObject({ code: 'notification_not_found' });
  });

  it('is given up with its channel', async () => {
    receiver.answerWith(refuse(500));
    const kept = await create({ name: 'switched-off' });
    const gone = await create({ name: 'deleted' });
    await outbox.send();
    await until(list, (found) => found.every((message) => message['attempts'] === 1 && message['last_error'] !== null));
    await hub
      .request('put', `${CHANNELS}/${String(kept['id'])}`)
      .send({ is_enabled: false })
      .expect(200);
    await hub.request('delete', `${CHANNELS}/${String(gone['id'])}`).expect(204);
    const messages = await untilStates('given_up', 'given_up');
    const reasons = Object.fromEntries(messages.map((message) => [message['channel_name'], message['last_error']]));
    expect(reasons).toEqual({ 'switched-off': 'The channel was switched off.', deleted: 'The channel was deleted.' });
    for (const { id } of messages) await hub.request('post', `${NOTIFICATIONS}/${String(id)}/retry`).expect(409);
  });

  it('waits while its channel cannot be opened, says why, and goes on at once when it is entered again', async () => {
    const { id } = await create({ secret: 'a-secret' });
    await hub.database.query(`UPDATE alert_channels SET url = replace(url, 'hub1.k1.', 'hub1.lost.')`);
    await outbox.send();
    const [message] = await untilAttempts(1);
    expect(message).toMatchObject({ state: 'queued', last_error: expect.stringMatching(/cannot be decrypted/) });
    expect(receiver.calls).toEqual([]);
    await hub
      .request('put', `${CHANNELS}/${String(id)}`)
      .send({ url: receiver.url })
      .expect(200);
    await untilStates('delivered');
  });

  it('is deleted 30 days after it was settled, and not before', async () => {
    await create();
    await outbox.send();
    await untilStates('delivered');
    receiver.answerWith(refuse(500));
    await outbox.send();
    await until(list, ([newest]) => newest?.['last_error'] !== null);
    const retention = hub.application.nest.get(NotificationRetention);
    const day = 24 * 60 * 60 * 1000;
    await retention.run(new Date(Date.now() + 29 * day));
    expect(await list()).toHaveLength(2);
    await retention.run(new Date(Date.now() + 31 * day));
    expect((await list()).map(({ state }) => state)).toEqual(['queued']);
  });

  it('is given back by a process that ends', async () => {
    await create();
    receiver.answerWith(() => undefined);
    await outbox.send();
    await until(
      () => receiver.calls.length,
      (count) => count === 1,
    );
    await hub.stop();
    const rows = await hub.database.query('SELECT state, attempts, leased_until FROM alert_notifications');
    expect(rows).toEqual([{ state: 'queued', attempts: 0, leased_until: null }]);
  });
});
