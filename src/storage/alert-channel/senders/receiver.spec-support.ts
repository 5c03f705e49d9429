// A receiver on loopback, and a channel that leads there.
import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChannelKind } from '../../../contract/alert-channel.contract.js';
import type { Delivery, Notice } from '../../../contract/alert-notice.js';
import { GuardedHttpClient } from '../../../platform/http/outbound/guarded-client.js';
import { OutboundPolicy } from '../../../platform/http/outbound/outbound-policy.js';
import { parsePrivateOrigins } from '../../../platform/http/outbound/private-origins.js';
import type { OpenChannel, SendContext } from '../channel-sender.js';

export const HUB = 'https://hub.example.com';
export const NOW = new Date('2026-11-25T04:43:20.123Z');
export const NOTIFICATION_ID = 'c7a3e4de-2f7d-4a31-9f1a-0e5d6b7c8d9e';

export interface Received {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Receiver {
  origin: string;
  received: Received[];
  context: SendContext;
  /** What is answered from now on. */
  answer(status: number, body: string, headers?: Record<string, string>): void;
  close(): Promise<void>;
}

export const startReceiver = async (): Promise<Receiver> => {
  const received: Received[] = [];
  let answer = { status: 200, body: '{"code":0,"errcode":0}', headers: {} as Record<string, string> };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const policy = new OutboundPolicy(parsePrivateOrigins(origin));
  const client = new GuardedHttpClient(policy);
  return {
    origin,
    received,
    context: { client, policy, publicUrl: HUB, signal: AbortSignal.timeout(20_000), now: () => NOW },
    answer: (status, body, headers = {}) => {
      answer = { status, body, headers };
    },
    close: async () => {
      await client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

export const aChannel = (kind: ChannelKind, fields: Partial<OpenChannel> = {}): OpenChannel => ({
  id: '9d1f6a30-4f55-4c0e-8a57-3b1f0f6a7b8c',
  name: 'on-call',
  kind,
  language: 'zh-CN',
  url: null,
  secret: null,
  email: null,
  ...fields,
});

export const aDelivery = (notice: Notice): Delivery => ({ id: NOTIFICATION_ID, notice });

/** HMAC-SHA256 as RFC 2104 writes it, so that signatures are not compared with the function that made them. */
export const hmacBase64 = (key: string | Buffer, text: string): string => {
  const sha256 = (...parts: (string | Buffer)[]): Buffer =>
    parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
  const long = Buffer.from(key);
  const block = Buffer.alloc(64);
  (long.length > 64 ? sha256(long) : long).copy(block);
  const padded = (byte: number): Buffer => Buffer.from(block.map((value) => value ^ byte));
  return sha256(padded(0x5c), sha256(padded(0x36), text)).toString('base64');
};
