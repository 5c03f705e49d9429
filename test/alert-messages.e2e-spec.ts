// One alert through the queue to a channel of every kind, and mail over TLS that is verified.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SMTPServerOptions } from 'smtp-server';
import { startReceiver, type Receiver } from '../src/storage/alert-channel/senders/receiver.spec-support.js';
import { CHANNELS, openOutbox } from './support/alerts.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { startHubProcess, type HubProcess } from './support/hub-process.js';
import { randomKeyRing } from './support/hub.js';
import { startMailServer, type MailServerForTests } from './support/mail-server.js';

type Body = Record<string, unknown>;

const ADMIN_TOKEN = `admin-${randomUUID()}`;
const PASSWORD = `password-${randomUUID()}`;
const TOKEN = randomUUID();
const PATHS = {
  webhook: `/hook/${TOKEN}`,
  slack: `/services/T0/B0/${TOKEN}`,
  feishu: `/open-apis/bot/v2/hook/${TOKEN}`,
  dingtalk: `/robot/send?access_token=${TOKEN}`,
  wecom: `/cgi-bin/webhook/send?key=${TOKEN}`,
} as const;

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const withCertificate = hasOpenssl ? it : it.skip;

/** A certificate for 127.0.0.1 that vouches for itself. */
const makeCertificate = (directory: string, name: string): { key: Buffer; cert: Buffer; file: string } => {
  const [keyFile, file] = [join(directory, `${name}-key.pem`), join(directory, `${name}.pem`)];
  const subject = ['-subj', '/CN=mail.test', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', keyFile, '-out', file, ...subject], {
    stdio: 'ignore',
  });
  return { key: readFileSync(keyFile), cert: readFileSync(file), file };
};

describe('messages', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-test-mail-'));
  let database: TestDatabase;
  let hub: HubProcess;
  let receiver: Receiver;
  const servers: MailServerForTests[] = [];

  beforeAll(async () => {
    const [tls, ofStranger] = hasOpenssl ? ['own', 'stranger'].map((name) => makeCertificate(directory, name)) : [];
    const own = tls ? { key: tls.key, cert: tls.cert } : {};
    const stranger = ofStranger ? { key: ofStranger.key, cert: ofStranger.cert } : {};
    const onAuth: SMTPServerOptions['onAuth'] = ({ password }, _session, callback) =>
      callback(password === PASSWORD ? null : new Error('wrong password'), { user: 'hub' });
    servers.push(
      ...(await Promise.all([
        startMailServer({ ...own, secure: true, onAuth, authOptional: false }),
        startMailServer({ ...own, onAuth, allowInsecureAuth: false, authOptional: false }),
        startMailServer(stranger),
      ])),
    );
    [database, receiver] = await Promise.all([createTestDatabase(), startReceiver()]);
    const [secure, ...plain] = servers.map(({ port }) => port);
    hub = await startHubProcess({
      PORT: '0',
      DATABASE_URL: database.url,
      DATA_DIR: directory,
      ADMIN_TOKEN,
      ENCRYPTION_KEYS: randomKeyRing(),
      PUBLIC_URL: 'https://hub.example.com/',
      ALLOWED_PRIVATE_ORIGINS: [
        receiver.origin,
        `smtps://127.0.0.1:${secure}`,
        ...plain.map((port) => `smtp://127.0.0.1:${port}`),
      ].join(','),
      ...(tls ? { NODE_EXTRA_CA_CERTS: tls.file } : {}),
    });
  });
  afterAll(async () => {
    await hub.stop();
    await Promise.all([receiver.close(), database.drop(), ...servers.map((server) => server.close())]);
    rmSync(directory, { recursive: true, force: true });
  });

  const post = async (path: string, body: Body = {}): Promise<{ status: number; body: Body }> => {
    const answer = await fetch(hub.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Body };
  };

  const create = async (body: Body): Promise<string> => {
    const answer = await post(CHANNELS, { name: `c-${randomUUID()}`, is_enabled: true, ...body });
    expect(answer).toMatchObject({ status: 201 });
    return String(answer.body['id']);
  };

  const mail = (index: number, security: string, fields: Body = {}): Body => ({
    kind: 'email',
    secret: PASSWORD,
    smtp: {
      host: '127.0.0.1',
      port: servers[index]?.port,
      security,
      user: 'hub',
      from: 'hub@example.com',
      to: ['ops@example.com'],
    },
    ...fields,
  });

  const plainMail = (): Body => {
    const body = mail(2, 'none');
    return { ...body, secret: undefined, smtp: { ...(body['smtp'] as Body), user: null } };
  };

  it('reach a channel of every kind, each in its own format', async () => {
    for (const [kind, path] of Object.entries(PATHS))
      await create({ kind, url: receiver.origin + path, language: 'en' });
    await create({ ...plainMail(), language: 'en' });
    const outbox = await openOutbox(database);
    expect(await outbox.send()).toBe(6);
    await outbox.close();
    const taken = servers[2]?.mails ?? [];
    for (const end = Date.now() + 20_000; Date.now() < end && (receiver.received.length < 5 || taken.length < 1);) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(receiver.received.map(({ url }) => url).sort()).toEqual(Object.values(PATHS).sort());
    const bodies = receiver.received.map(({ body }) => body);
    for (const text of [...bodies, taken[0]?.parsed.text ?? '']) {
      expect(text).toContain('Model fast: too many calls fail (42.5%, threshold 20%)');
      expect(text).toContain('https://hub.example.com/console/alerts/5e4d3c2b-0000-4000-8000-000000000002');
    }
    expect(hub.output()).not.toContain(TOKEN);
  });

  withCertificate.each([
    [0, 'tls'],
    [1, 'starttls'],
  ] as const)('go by mail to a server (%d) whose authority the operator trusts: %s', async (index, security) => {
    const id = await create(mail(index, security));
    expect(await post(`${CHANNELS}/${id}/test`)).toMatchObject({ status: 200, body: { delivered: true } });
    expect(servers[index]?.mails).toMatchObject([{ isEncrypted: true, user: 'hub', to: ['ops@example.com'] }]);
    expect(servers[index]?.mails[0]?.parsed.subject).toBe('【提示】测试消息');
  });

  it('are not sent to a server that nobody vouches for, nor with a wrong password, and both are said', async () => {
    const unknown = await post(`${CHANNELS}/${await create(mail(2, 'starttls'))}/test`);
    expect(unknown).toMatchObject({ status: 424, body: { code: 'alert_channel_failed' } });
    expect(JSON.stringify(unknown.body)).toContain('The certificate of the mail server is not trusted');
    if (hasOpenssl) {
      expect(JSON.stringify(unknown.body)).toMatch(/SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS/);
      const refused = await post(`${CHANNELS}/${await create(mail(0, 'tls', { secret: `${PASSWORD}x` }))}/test`);
      expect(refused).toMatchObject({ status: 424 });
      expect(JSON.stringify(refused.body)).toContain('refused user and password: 535 ');
      expect(JSON.stringify(refused.body)).not.toContain(PASSWORD);
    }
    expect(hub.output()).not.toContain(PASSWORD);
  });

  it('may not be meant for a mail server of this network that the operator did not list', async () => {
    const body = mail(0, 'tls');
    for (const fields of [{ port: 1 + Number(servers[0]?.port) }, { security: 'none' }, { host: '169.254.169.254' }]) {
      const smtp = { ...(body['smtp'] as Body), ...fields };
      expect(await post(CHANNELS, { name: 'refused', ...body, smtp })).toMatchObject({
        status: 400,
        body: { code: 'alert_channel_address_not_allowed', errors: [{ field: 'smtp.host' }] },
      });
    }
  });
});
