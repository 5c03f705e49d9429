import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { SMTPServerOptions } from 'smtp-server';
import { LANGUAGES } from '../../../contract/alert-kinds.js';
import type { SmtpSecurity } from '../../../contract/alert-channel.contract.js';
import type { Notice } from '../../../contract/alert-notice.js';
import { GuardedHttpClient } from '../../../platform/http/outbound/guarded-client.js';
import { OutboundPolicy } from '../../../platform/http/outbound/outbound-policy.js';
import { parsePrivateOrigins } from '../../../platform/http/outbound/private-origins.js';
import { expectGolden } from '../../../../test/support/golden.js';
import { DeliveryError, type OpenChannel, type OpenEmail, type SendContext } from '../channel-sender.js';
import { A_TEST, aBudgetNotice, aGroup, anAlert, aNotice } from '../messages/notices.spec-support.js';
import { emailSender, sendEmail } from './email.js';
import { startMailServer, type MailServerForTests } from '../../../../test/support/mail-server.js';
import { aChannel, aDelivery, HUB, NOTIFICATION_ID, NOW } from './receiver.spec-support.js';

const PASSWORD = 'pa55-w0rd-c4n4ry-Zx9';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const start = async (options?: SMTPServerOptions): Promise<MailServerForTests> => {
  const server = await startMailServer(options);
  closing.push(() => server.close());
  return server;
};

const contextOf = (listed: string, signal = AbortSignal.timeout(20_000)): SendContext => {
  const policy = new OutboundPolicy(parsePrivateOrigins(listed));
  const client = new GuardedHttpClient(policy);
  closing.push(() => client.close());
  return { client, policy, publicUrl: HUB, signal, now: () => NOW };
};

const channelOf = (port: number, email: Partial<OpenEmail> = {}, fields: Partial<OpenChannel> = {}): OpenChannel =>
  aChannel('email', {
    language: 'en',
    email: {
      host: '127.0.0.1',
      port,
      security: 'none',
      user: null,
      from: 'hub@example.com',
      to: ['ops@example.com'],
      ...email,
    },
    ...fields,
  });

/** To a server that the operator listed. */
const sendTo = (port: number, notice: Notice, channel = channelOf(port)): Promise<void> =>
  sendEmail(channel, aDelivery(notice), contextOf(`smtp://127.0.0.1:${port},smtps://127.0.0.1:${port}`));

const failureOf = async (sending: Promise<void>): Promise<string> => {
  const failure: unknown = await sending.then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(DeliveryError);
  return (failure as DeliveryError).message;
};

const withUser = (security: SmtpSecurity, port: number): OpenChannel =>
  channelOf(port, { security, user: 'hub' }, { secret: PASSWORD });

/** What nodemailer makes up for each mail. */
const masked = (raw: string): string => {
  const [, boundary = 'none'] = /boundary="([^"]+)"/.exec(raw) ?? [];
  return raw.replaceAll(boundary, 'BOUNDARY').replaceAll('\r\n', '\n');
};

describe('a mail', () => {
  it.each(LANGUAGES)('is text and HTML, with its own headers, in %s', async (language) => {
    const server = await start();
    const channel = channelOf(server.port, { to: ['ops@example.com', 'on-call@example.org'] }, { language });
    for (const notice of [
      aNotice(),
      aGroup('firing', 3, 2),
      aNotice('latency_p95', 'resolved'),
      aBudgetNotice(),
      A_TEST,
    ]) {
      await sendTo(server.port, notice, channel);
    }
    const texts = server.mails.map(({ raw, parsed }) =>
      [masked(raw).split('\n\n')[0], '', parsed.text?.trim(), '', String(parsed.html).trim(), ''].join('\n'),
    );
    expectGolden(`alert-messages/email.${language}`, texts.join('\n'), 'txt');
    expect(server.mails[0]).toMatchObject({ from: 'hub@example.com', to: ['ops@example.com', 'on-call@example.org'] });
  });

  it('is the same mail when it is sent again, and says that a machine wrote it', async () => {
    const server = await start();
    await sendTo(server.port, aNotice());
    await sendTo(server.port, aNotice());
    const [first, second] = server.mails.map(({ parsed }) => parsed);
    expect(first?.messageId).toBe(`<${NOTIFICATION_ID}@example.com>`);
    expect(second?.messageId).toBe(first?.messageId);
    expect(first?.date).toEqual(new Date(Math.floor(NOW.getTime() / 1000) * 1000));
    expect(first?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(first?.headers.get('x-hub-notification-id')).toBe(NOTIFICATION_ID);
  });

  it('takes no header, no recipient and no markup from a name', async () => {
    const server = await start();
    const name = 'x\r\nBcc: evil@example.net\r\n\r\n<script>alert(1)</script>"><img src=x>';
    const notice = aNotice('error_rate', 'firing', { alerts: [anAlert({ subject: name })] });
    notice.rule.name = 'a&b<c>';
    await sendTo(server.port, notice);
    const [mail] = server.mails;
    expect(mail?.to).toEqual(['ops@example.com']);
    expect([...(mail?.parsed.headers.keys() ?? [])]).not.toContain('bcc');
    expect(mail?.parsed.subject).toContain('x Bcc: evil@example.net <script>');
    expect(mail?.parsed.html).not.toMatch(/<script|<img/);
    expect(mail?.parsed.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;&lt;img');
    expect(mail?.parsed.html).toContain('a&amp;b&lt;c&gt;');
  });

  it('has a subject of at most 200 characters', async () => {
    const server = await start();
    await sendTo(server.port, aNotice('error_rate', 'firing', { alerts: [anAlert({ subject: '模型'.repeat(200) })] }));
    expect(server.mails[0]?.parsed.subject?.length).toBe(200);
    expect(server.mails[0]?.parsed.subject).toMatch(/^\[Critical\] Model .*…$/u);
  });
});

describe('the mail server', () => {
  it('is told user and password', async () => {
    const server = await start({
      authOptional: false,
      onAuth: ({ username, password }, _session, callback) =>
        callback(username === 'hub' && password === PASSWORD ? null : new Error('no'), { user: username }),
    });
    await sendTo(server.port, aNotice(), withUser('none', server.port));
    expect(server.mails[0]?.user).toBe('hub');
  });

  it('may refuse them, and what it repeats of the password is not told', async () => {
    const server = await start({
      onAuth: (_auth, _session, callback) => callback(new Error(`${PASSWORD} is not the password`)),
    });
    const message = await failureOf(sendTo(server.port, aNotice(), withUser('none', server.port)));
    expect(message).toMatch(/^The mail server refused user and password: 535 /);
    expect(message).toContain('is not the password');
    expect(message).not.toContain(PASSWORD.slice(0, 8));
  });

  it('that has no login is not sent a mail without one', async () => {
    const server = await start({ disabledCommands: ['AUTH'] });
    const message = await failureOf(sendTo(server.port, aNotice(), withUser('none', server.port)));
    expect(message).toMatch(/^The mail server refused user and password/);
    expect(server.mails).toEqual([]);
  });

  it.each(['starttls', 'tls'] as const)(
    'with a certificate that nobody vouches for gets neither password nor mail: %s',
    async (security) => {
      let logins = 0;
      const server = await start({
        secure: security === 'tls',
        onAuth: (_auth, _session, callback) => {
          logins += 1;
          callback(null, { user: 'hub' });
        },
      });
      const message = await failureOf(sendTo(server.port, aNotice(), withUser(security, server.port)));
      expect(message).toMatch(/^The certificate of the mail server is not trusted \([A-Z_]+\)/);
      expect({ logins, mails: server.mails.length }).toEqual({ logins: 0, mails: 0 });
    },
  );

  it('that offers no STARTTLS gets no mail where STARTTLS is wanted', async () => {
    const server = await start({ disabledCommands: ['STARTTLS'] });
    expect(await failureOf(sendTo(server.port, aNotice(), channelOf(server.port, { security: 'starttls' })))).toMatch(
      /^The connection could not be encrypted/,
    );
    expect(server.mails).toEqual([]);
  });

  it('may refuse one recipient: the others have the mail, and a test says so', async () => {
    const server = await start({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address.startsWith('gone') ? new Error('no such user') : null),
    });
    const channel = channelOf(server.port, { to: ['gone@example.com', 'ops@example.com'] });
    await sendTo(server.port, aNotice(), channel);
    expect(await failureOf(sendTo(server.port, A_TEST, channel))).toContain('refused 1 of 2 recipients');
    expect(server.mails.map(({ to }) => to)).toEqual([['ops@example.com'], ['ops@example.com']]);
  });

  it.each([450, 550])('may refuse all with %d', async (responseCode) => {
    const server = await start({
      onRcptTo: (_address, _session, callback) =>
        callback(Object.assign(new Error('mailbox is busy'), { responseCode })),
    });
    const message = await failureOf(sendTo(server.port, aNotice()));
    expect(message).toContain(`${responseCode} mailbox is busy`);
  });

  it.each([452, 554])('may refuse the message with %d', async (responseCode) => {
    const server = await start({
      onData: (stream, _session, callback) => {
        stream.resume().on('end', () => callback(Object.assign(new Error('not this one'), { responseCode })));
      },
    });
    expect(await failureOf(sendTo(server.port, aNotice()))).toBe(
      `The mail server refused the message: ${responseCode} not this one`,
    );
  });

  it.each([
    ['says nothing', ''],
    ['greets and falls silent', '220 hello\r\n'],
  ])('that %s is left at the deadline', async (_name, greeting) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
      socket.write(greeting);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const context = contextOf(`smtp://127.0.0.1:${port}`, AbortSignal.timeout(200));
    const before = performance.now();
    expect(await failureOf(sendEmail(channelOf(port), aDelivery(A_TEST), context))).toBe(
      'The deadline of the call passed.',
    );
    expect(performance.now() - before).toBeLessThan(5000);
    const [socket] = sockets;
    if (socket && !socket.closed) await new Promise((resolve) => socket.resume().once('close', resolve));
    expect(socket?.closed).toBe(true);
  });

  it('that is not there is told as that', async () => {
    const server = await startMailServer();
    await server.close();
    expect(await failureOf(sendTo(server.port, A_TEST))).toBe('The connection could not be opened (ECONNREFUSED).');
  });
});

describe('where mail may go', () => {
  const refusalOf = (email: Partial<OpenEmail>, listed = ''): Promise<string> =>
    failureOf(sendEmail(channelOf(email.port ?? 25, email), aDelivery(A_TEST), contextOf(listed)));

  it('without TLS: only where the operator listed the server', async () => {
    expect(await refusalOf({ host: 'mail.example.com', port: 25, security: 'none' })).toContain(
      'ALLOWED_PRIVATE_ORIGINS, as smtp://mail.example.com:25',
    );
  });

  it('into a private network: only where it is listed, with its security', async () => {
    const server = await start();
    const { port } = server;
    for (const listed of ['', `smtp://127.0.0.2:${port}`, `http://127.0.0.1:${port}`, `smtps://127.0.0.1:${port}`]) {
      expect(await refusalOf({ port, security: 'none' }, listed)).toContain(`smtp://127.0.0.1:${port}`);
    }
    expect(await refusalOf({ port, security: 'tls' }, `smtp://127.0.0.1:${port}`)).toContain(
      `smtps://127.0.0.1:${port}`,
    );
    expect(server.connections()).toBe(0);
  });

  it('never to a metadata address, and to no other port of a public server', async () => {
    expect(await refusalOf({ host: '169.254.169.254', security: 'tls' })).toContain('metadata');
    expect(await refusalOf({ host: 'db.example.com', port: 5432, security: 'tls' })).toContain('465 or 587');
  });

  it('judges what the name resolves to, at the connect', async () => {
    const server = await start();
    const { port } = server;
    const send = emailSender(() => Promise.resolve([{ address: '127.0.0.1', family: 4 }]));
    const channel = channelOf(port, { host: 'mail.example.com', security: 'starttls' });
    expect(await failureOf(send(channel, aDelivery(A_TEST), contextOf('')))).toContain(
      `private network: the operator can list it in ALLOWED_PRIVATE_ORIGINS, as smtp://mail.example.com:${port}`,
    );
    expect(server.connections()).toBe(0);
    const plain = channelOf(port, { host: 'mail.example.com', security: 'none' });
    await send(plain, aDelivery(A_TEST), contextOf(`smtp://mail.example.com:${port}`));
    expect(server.mails).toHaveLength(1);
  });
});
