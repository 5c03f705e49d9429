// A real mail server on loopback.
import type { AddressInfo } from 'node:net';
import { callbackify } from 'node:util';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';

export interface TakenMail {
  raw: string;
  parsed: ParsedMail;
  from: string;
  to: string[];
  user: string | undefined;
  isEncrypted: boolean;
}

export interface MailServerForTests {
  port: number;
  mails: TakenMail[];
  /** Connections so far, even those that said nothing. */
  connections(): number;
  close(): Promise<void>;
}

const read = async (stream: NodeJS.ReadableStream): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const take = async (
  stream: NodeJS.ReadableStream,
  { envelope, user, secure }: SMTPServerSession,
): Promise<TakenMail> => {
  const bytes = await read(stream);
  return {
    raw: bytes.toString('utf8'),
    parsed: await simpleParser(bytes),
    from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
    to: envelope.rcptTo.map(({ address }) => address),
    user,
    isEncrypted: secure,
  };
};

/** Takes every mail, unless `options` say otherwise. */
export const startMailServer = async (options: SMTPServerOptions = {}): Promise<MailServerForTests> => {
  const mails: TakenMail[] = [];
  const keep = callbackify(async (stream: NodeJS.ReadableStream, session: SMTPServerSession): Promise<void> => {
    mails.push(await take(stream, session));
  });
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    logger: false,
    onConnect: (_session, callback) => {
      connections += 1;
      callback();
    },
    onData: (stream, session, callback) => keep(stream, session, (error) => callback(error)),
    ...options,
  });
  // A client that turns away from our certificate is what some tests want.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    connections: () => connections,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
};
