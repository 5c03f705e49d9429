// Channels: what may be written, what is shown, what a test says; and that an address and a secret are shown nowhere.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { aMailChannel, aWebhook } from './factories/alert-channel.js';
import { CHANNELS } from './support/alerts.js';
import { CanaryScanner } from './support/canary-scanner.js';
import { dumpTables } from './support/dump.js';
import { type FakeProvider, sendJson, startFakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';

type Body = Record<string, unknown>;

const KEYS = '/api/v1/encryption-keys';
const SMTP = aMailChannel()['smtp'] as Body;

describe('channels', () => {
  let hub: TestHub;
  let receiver: FakeProvider;
  beforeAll(async () => {
    [hub, receiver] = await Promise.all([startHub(), startFakeProvider()]);
  });
  afterAll(() => Promise.all([hub.close(), receiver.close()]));
  afterEach(() => hub.database.query('DELETE FROM alert_channels'));

  const create = async (body: Body): Promise<Body> =>
    (await hub.request('post', CHANNELS).send(body).expect(201)).body as Body;
  const read = async (id: unknown): Promise<Body> =>
    (await hub.request('get', `${CHANNELS}/${String(id)}`).expect(200)).body as Body;
  const change = (id: unknown, body: Body): ReturnType<TestHub['request']> =>
    hub.request('put', `${CHANNELS}/${String(id)}`).send(body);

  describe('what is written', () => {
    it('is shown without address and secret, with defaults where nothing was said', async () => {
      const url = 'https://hooks.example.com/services/T0/B0?key=abc';
      const answer = await hub
        .request('post', CHANNELS)
        .send(aWebhook({ name: 'on-call', url, secret: 'whsec_c2VjcmV0LW9mLXRoZS10ZXN0' }))
        .expect(201);
      expect(answer.headers).toMatchObject({ etag: '"1"', location: `${CHANNELS}/${answer.body.id}` });
      expect(answer.body).toEqual({
        id: expect.any(String),
        name: 'on-call',
        kind: 'webhook',
        is_enabled: true,
        min_severity: 'info',
        language: 'zh-CN',
        url_origin: 'https://hooks.example.com',
        has_secret: true,
        credential_readable: true,
        smtp: null,
        last_delivered_at: null,
        last_failed_at: null,
        last_error: null,
        version: 1,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      });
      expect(await read(answer.body.id)).toEqual(answer.body);
      const list = await hub.request('get', CHANNELS).expect(200);
      expect(list.body).toEqual({ channels: [answer.body], total: 1 });
    });

    it('of kind email has a mail server and no address', async () => {
      const created = await create(aMailChannel());
      expect(created).toMatchObject({ kind: 'email', url_origin: null, has_secret: true, smtp: SMTP });
    });

    it('keeps what is left out, clears with null, and stays at its version when nothing changes', async () => {
      const url = 'https://hooks.example.com/one';
      const { id } = await create(aWebhook({ url, secret: 'first-secret' }));
      const renamed = await change(id, { name: 'renamed', min_severity: 'critical' }).expect(200);
      expect(renamed.body).toMatchObject({ name: 'renamed', min_severity: 'critical', has_secret: true, version: 2 });
      const same = await change(id, { name: 'renamed', url, secret: 'first-secret' }).expect(200);
      expect(same.body).toMatchObject({ version: 2 });
      const cleared = await change(id, { secret: null, url: 'https://other.example.com/two' }).expect(200);
      expect(cleared.body).toMatchObject({ has_secret: false, url_origin: 'https://other.example.com', version: 3 });
      const stale = await change(id, { name: 'late' }).set('if-match', '"2"').expect(412);
      expect(stale.body).toMatchObject({ code: 'precondition_failed' });
      await hub.request('delete', `${CHANNELS}/${String(id)}`).expect(204);
      expect((await hub.request('get', `${CHANNELS}/${String(id)}`).expect(404)).body.code).toBe(
        'alert_channel_not_found',
      );
    });

    it('is in the history, secrets as fingerprints', async () => {
      const { id } = await create(aWebhook({ name: 'in-history', secret: 'first-secret' }));
      await change(id, { secret: 'second-secret' }).expect(200);
      await hub.request('delete', `${CHANNELS}/${String(id)}`).expect(204);
      const { body } = await hub.request('get', `/api/v1/history?kind=alert_channel&subject_id=${String(id)}`);
      const entries = (body as { entries: Body[] }).entries;
      expect(entries.map(({ action, version }) => [action, version])).toEqual([
        ['delete', 3],
        ['update', 2],
        ['create', 1],
      ]);
      const fingerprint = expect.stringMatching(/^k1:[0-9a-f]{16}$/);
      expect(entries[1]).toMatchObject({ changes: [{ field: 'secret', from: fingerprint, to: fingerprint }] });
    });

    it('has a name of its own, and there are at most 100', async () => {
      await create(aWebhook({ name: 'taken' }));
      const twice = await hub
        .request('post', CHANNELS)
        .send(aWebhook({ name: 'taken' }))
        .expect(409);
      expect(twice.body).toMatchObject({ code: 'alert_channel_name_taken', errors: [{ field: 'name' }] });
      await hub.database.query(
        `INSERT INTO alert_channels (id, name, kind) SELECT gen_random_uuid(), 'many-' || n, 'webhook'
         FROM generate_series(1, 99) AS n`,
      );
      const last = await hub.request('post', CHANNELS).send(aWebhook()).expect(409);
      expect(last.body).toMatchObject({ code: 'too_many_alert_channels' });
    });
  });

  describe('what is refused', () => {
    const smtpWith = (fields: Body): Body => aMailChannel({ smtp: { ...SMTP, ...fields } });
    it.each<[string, Body, string, string]>([
      ['a webhook without address', aWebhook({ url: undefined }), 'url', 'validation_failed'],
      ['a webhook with a mail server', aWebhook({ smtp: SMTP }), 'smtp', 'validation_failed'],
      ['mail with an address', aMailChannel({ url: 'https://example.com' }), 'url', 'validation_failed'],
      ['mail without a server', aMailChannel({ smtp: undefined }), 'smtp', 'validation_failed'],
      ['mail with a user and no password', aMailChannel({ secret: undefined }), 'secret', 'validation_failed'],
      ['mail with a password and no user', smtpWith({ user: null }), 'smtp.user', 'validation_failed'],
      ['mail to nobody', smtpWith({ to: [] }), 'smtp.to', 'validation_failed'],
      ['mail to somebody twice', smtpWith({ to: ['a@b.example', 'a@b.example'] }), 'smtp.to', 'validation_failed'],
      [
        'mail with a header in it',
        smtpWith({ from: 'a@b.example\r\nBcc: c@d.example' }),
        'smtp.from',
        'validation_failed',
      ],
      ['a server with a port in its name', smtpWith({ host: 'smtp.example.com:25' }), 'smtp.host', 'validation_failed'],
      ['an unknown field of the server', smtpWith({ auth: true }), 'smtp.auth', 'validation_failed'],
      ['a server that is none', aMailChannel({ smtp: 'smtp.example.com' }), 'smtp', 'validation_failed'],
      ['a secret for Slack', aWebhook({ kind: 'slack', secret: 's-0123456789' }), 'secret', 'validation_failed'],
      ['a secret for WeCom', aWebhook({ kind: 'wecom', secret: 's-0123456789' }), 'secret', 'validation_failed'],
      ['a key that is no base64', aWebhook({ secret: 'whsec_no base64' }), 'secret', 'validation_failed'],
      ['an address that is masked', aWebhook({ url: 'https://example.com/***' }), 'url', 'masked_api_key'],
      ['a secret that is masked', aWebhook({ secret: '********' }), 'secret', 'masked_api_key'],
      ['a private address', aWebhook({ url: 'https://10.0.0.1/hook' }), 'url', 'alert_channel_address_not_allowed'],
      [
        'an address of the cloud',
        aWebhook({ url: 'http://169.254.169.254/' }),
        'url',
        'alert_channel_address_not_allowed',
      ],
      [
        'a user in the address',
        aWebhook({ url: 'https://a:b@example.com/' }),
        'url',
        'alert_channel_address_not_allowed',
      ],
      ['a private mail server', smtpWith({ host: '10.0.0.1' }), 'smtp.host', 'alert_channel_address_not_allowed'],
      ['mail without TLS', smtpWith({ security: 'none', port: 25 }), 'smtp.host', 'alert_channel_address_not_allowed'],
      ['an unknown kind', aWebhook({ kind: 'pager' }), 'kind', 'validation_failed'],
      ['a name that is none', aWebhook({ name: 'On call!' }), 'name', 'validation_failed'],
    ])('%s', async (_case, body, field, code) => {
      const answer = await hub.request('post', CHANNELS).send(body);
      expect({ status: answer.status, body: answer.body as Body }).toEqual({
        status: code === 'masked_api_key' ? 422 : 400,
        body: expect.objectContaining({ code, errors: [expect.objectContaining({ field })] }),
      });
      expect(await hub.database.query('SELECT id FROM alert_channels')).toEqual([]);
    });

    it('another kind for a channel that is there, and to take away what its kind needs', async () => {
      const { id } = await create(aWebhook());
      expect((await change(id, { kind: 'slack' }).expect(400)).body).toMatchObject({ errors: [{ field: 'kind' }] });
      expect((await change(id, { url: null }).expect(400)).body).toMatchObject({ errors: [{ field: 'url' }] });
      const mail = await create(aMailChannel());
      expect((await change(mail['id'], { smtp: null }).expect(400)).body).toMatchObject({
        errors: [{ field: 'smtp' }],
      });
    });

    it('to send a stored password to another mail server', async () => {
      const { id } = await create(aMailChannel());
      for (const fields of [{ host: 'evil.example.com' }, { port: 587 }]) {
        const answer = await change(id, { smtp: { ...SMTP, ...fields } }).expect(422);
        expect(answer.body).toMatchObject({ code: 'credential_required', errors: [{ field: 'secret' }] });
      }
      expect(await read(id)).toMatchObject({ smtp: SMTP, version: 1 });
      const moved = { smtp: { ...SMTP, host: 'smtp.example.org' }, secret: 'entered-again' };
      expect((await change(id, moved).expect(200)).body).toMatchObject({ version: 2, credential_readable: true });
      // What does not decide where the password goes may change alone.
      await change(id, { smtp: { ...SMTP, host: 'smtp.example.org', to: ['team@example.com'] } }).expect(200);
    });
  });

  describe('a test', () => {
    it('sends a message at once and says so', async () => {
      const { id } = await create(aWebhook({ url: `${receiver.url}/hook?access_token=t` }));
      receiver.answerWith((_call, response) => sendJson(response, 204, ''));
      const answer = await hub.request('post', `${CHANNELS}/${String(id)}/test`).expect(200);
      expect(answer.body).toEqual({ delivered: true, took_ms: expect.any(Number) });
      const call = receiver.calls.at(-1);
      expect(call).toMatchObject({ path: '/v1/hook?access_token=t', body: { event: 'test', severity: 'info' } });
      expect(call?.headers['webhook-signature']).toBeUndefined();
      expect(await read(id)).toMatchObject({ last_delivered_at: expect.any(String), last_error: null, version: 1 });
    });

    it('tells what the receiver said, without what it must not know', async () => {
      const url = `${receiver.url}/hook/path-that-nobody-may-see`;
      const { id } = await create(aWebhook({ url, secret: 'secret-that-nobody-may-see' }));
      receiver.answerWith((_call, response) =>
        sendJson(response, 403, {
          error: `no permission for ${url} with secret-that-nobody-may-see`,
          x: 'y'.repeat(9000),
        }),
      );
      const { body } = await hub.request('post', `${CHANNELS}/${String(id)}/test`).expect(424);
      expect(body).toMatchObject({ code: 'alert_channel_failed' });
      const detail = String((body as Body)['detail']);
      expect(detail).toMatch(/^The receiver answered 403: .*no permission/);
      expect(detail.length).toBeLessThanOrEqual(500);
      expect(detail).not.toMatch(/nobody-may|path-that|secret-that/);
      expect(await read(id)).toMatchObject({ last_failed_at: expect.any(String), last_error: detail, version: 1 });
    });

    it('does not follow a redirect, and says what would be right', async () => {
      const { id } = await create(aWebhook({ url: `${receiver.url}/moved` }));
      receiver.answerWith((_call, response) => void response.writeHead(302, { location: receiver.url }).end());
      const before = receiver.calls.length;
      const { body } = await hub.request('post', `${CHANNELS}/${String(id)}/test`).expect(424);
      expect(String((body as Body)['detail'])).toMatch(/redirect.*Give the address it leads to/);
      expect(receiver.calls.length - before).toBe(1);
    });

    it('says that nobody is there', async () => {
      const gone = await startFakeProvider();
      await gone.close();
      const { id } = await create(aWebhook({ url: gone.url }));
      const { body } = await hub.request('post', `${CHANNELS}/${String(id)}/test`).expect(424);
      expect(body).toMatchObject({ detail: 'The connection could not be opened (ECONNREFUSED).' });
    });

    it('of a channel that is not there is 404', async () => {
      const { body } = await hub.request('post', `${CHANNELS}/${randomUUID()}/test`).expect(404);
      expect(body).toMatchObject({ code: 'alert_channel_not_found' });
    });
  });

  describe('keys', () => {
    it('are counted, changed and kept as long as a channel needs them', async () => {
      const { id } = await create(aWebhook({ url: `${receiver.url}/hook`, secret: 'kept-through-the-rotation' }));
      const { body: added } = await hub.request('post', KEYS).send({}).expect(409);
      expect(added).toMatchObject({ code: 'encryption_keys_read_only' });
      const { body: status } = await hub.request('get', KEYS).expect(200);
      expect(status).toMatchObject({ keys: [{ id: 'k1', rows: { alert_channels: 1 } }] });
      const damaged = `UPDATE alert_channels SET secret = overlay(secret placing 'AAAA' from length(secret) - 5)`;
      await hub.database.query(damaged);
      expect(await read(id)).toMatchObject({ has_secret: true, credential_readable: false });
      const failed = await hub.request('post', `${CHANNELS}/${String(id)}/test`).expect(424);
      expect(String((failed.body as Body)['detail'])).toMatch(/cannot be decrypted.*enter them again/);
      // What is told of the others is told all the same.
      await create(aWebhook({ name: 'sound' }));
      const { body: list } = await hub.request('get', CHANNELS).expect(200);
      const readable = (list as { channels: Body[] }).channels.map((channel) => channel['credential_readable']);
      expect(new Set(readable)).toEqual(new Set([false, true]));
      await change(id, { secret: 'entered-again' }).expect(200);
      expect(await read(id)).toMatchObject({ credential_readable: true });
    });
  });

  it('no address and no secret is in an answer, a log, the history or the database', async () => {
    const urlPart = randomBytes(18).toString('base64url');
    const secret = randomBytes(18).toString('base64url');
    const password = randomBytes(18).toString('base64url');
    const url = `${receiver.url}/${urlPart}?access_token=${urlPart}`;
    const scanner = new CanaryScanner([
      { name: 'address', text: urlPart },
      { name: 'secret', text: secret },
      { name: 'password', text: password },
    ]);
    const answers: string[] = [];
    const note = (answer: { text: string; headers: unknown }): void =>
      void answers.push(answer.text, JSON.stringify(answer.headers));
    receiver.answerWith((call, response) =>
      sendJson(response, 500, { you_sent: call.raw.toString(), to: call.path, secret }),
    );
    const created = await hub.request('post', CHANNELS).send(aWebhook({ url, secret }));
    note(created);
    note(await hub.request('post', CHANNELS).send(aWebhook({ url: `ftp://x/${urlPart}`, secret })));
    note(await hub.request('post', CHANNELS).send(aWebhook({ kind: 'wecom', url, secret })));
    note(await hub.request('post', CHANNELS).send(aMailChannel({ secret: password })));
    note(await hub.request('post', `${CHANNELS}/${String(created.body.id)}/test`));
    note(await change(created.body.id, { url: `${url}&more=1` }));
    note(await hub.request('get', CHANNELS));
    note(await hub.request('get', '/api/v1/history'));
    note(await hub.request('get', '/metrics'));
    note(await hub.request('get', '/internal/v1/snapshot', hub.serviceToken));
    expect(receiver.calls.at(-1)?.path).toContain(urlPart);
    const places = {
      answers: answers.join('\n'),
      logs: hub.logs(),
      database: JSON.stringify(await dumpTables((text) => hub.database.query(text))),
    };
    for (const [name, text] of Object.entries(places)) expect(scanner.scan(name, text)).toEqual([]);
  });
});
