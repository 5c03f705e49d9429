// A real mail server on loopback.
import type { AddressInfo } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

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

/** Takes every mail, unless `options` say otherwise. */
export const startMailServer = async (options: SMTPServerOptions = {}): Promise<MailServerForTests> => {
  const mails: TakenMail[] = [];
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    logger: false,
    onConnect: (_session, callback) => {
      connections += 1;
      callback();
    },
    onData: (stream, session, callback) => {
      void read(stream).then(async (bytes) => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          raw: bytes.toString('utf8'),
          parsed: await simpleParser(bytes),
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user,
          isEncrypted: session.secure,
        });
        callback();
      }, callback);
    },
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
