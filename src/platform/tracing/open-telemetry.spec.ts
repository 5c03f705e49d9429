import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readEnv } from '../config/env.js';
import { ThisInstance } from '../config/this-instance.js';
import { OpenTelemetry } from './open-telemetry.js';
import type { Span } from './span.js';

const REQUEST = { name: 'GET /thing', headers: {}, fields: { 'http.route': '/thing', left: null }, onlyWithin: false };
const PARENT = `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`;

const accept = (response: ServerResponse): void => void response.writeHead(200).end('{}');

describe('OpenTelemetry', () => {
  let server: Server;
  let url: string;
  let received: string[];
  let answer: (response: ServerResponse) => void;
  let tracing: OpenTelemetry;

  const start = (more: Record<string, string> = {}): OpenTelemetry => {
    const env = readEnv({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...more });
    return OpenTelemetry.start(env, url, new ThisInstance('1.2.3'));
  };
  const begin = (headers = {}): Span => {
    const span = tracing.begin({ ...REQUEST, headers });
    if (!span) throw new Error('There is no span.');
    return span;
  };

  beforeEach(async () => {
    received = [];
    answer = accept;
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (piece: Buffer) => (text += piece.toString()));
      request.on('end', () => {
        received.push(text);
        answer(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    tracing = start();
  });
  afterEach(async () => {
    await tracing.close(0);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('hands over what is left when it is closed, with who made it', async () => {
    begin().end(null);
    await tracing.close(2000);
    expect(received).toHaveLength(1);
    for (const part of ['ai-model-hub', '1.2.3', 'GET /thing', 'http.route']) expect(received[0]).toContain(part);
    expect(received[0]).not.toContain('left');
  });

  it('takes a trace over, and hands it on with the state it came with', () => {
    const span = begin({ traceparent: PARENT, tracestate: 'a=1,b=2' });
    const [, traceId = ''] = PARENT.split('-');
    expect(span.traceId).toBe(traceId);
    expect(span.headers()).toEqual({
      traceparent: expect.stringMatching(new RegExp(`^00-${traceId}-[\\da-f]{16}-01$`)),
      tracestate: 'a=1,b=2',
    });
    expect(span.headers()['traceparent']).not.toBe(PARENT);
    const step = span.startRequest('a step', {});
    expect(step.traceId).toBe(traceId);
    expect(step.headers()['traceparent']).not.toBe(span.headers()['traceparent']);
  });

  it('begins none of its own where it is only asked to go on', () => {
    expect(tracing.begin({ ...REQUEST, onlyWithin: true })).toBeNull();
    expect(tracing.begin({ ...REQUEST, onlyWithin: true, headers: { traceparent: 'nonsense' } })).toBeNull();
    expect(tracing.begin({ ...REQUEST, onlyWithin: true, headers: { traceparent: PARENT } })).not.toBeNull();
  });

  it('records the share it is told to, and what callers ask for', async () => {
    tracing = start({ OTEL_TRACES_SAMPLER_ARG: '0' });
    const own = begin();
    const theirs = begin({ traceparent: PARENT });
    expect([own.isRecorded, theirs.isRecorded]).toEqual([false, true]);
    expect(own.headers()['traceparent']).toMatch(/-00$/);
    expect(own.startRequest('a step', {}).isRecorded).toBe(false);
    own.end('never_seen');
    theirs.end(null);
    await tracing.close(2000);
    expect(received.join('')).not.toContain('never_seen');
    expect(received).toHaveLength(1);
  });

  it('keeps what is waiting and each text within bounds', async () => {
    const long = begin();
    long.describe({ text: 'x'.repeat(100_000) });
    long.end(null);
    // More than can be sent in between: it is one turn of the event loop.
    for (let count = 0; count < 6000; count += 1) begin().end(null);
    await tracing.close(20_000);
    const all = received.join('');
    const spans = all.split('"GET /thing"').length - 1;
    expect(spans).toBeGreaterThanOrEqual(4096);
    expect(spans).toBeLessThanOrEqual(4096 + 256);
    expect(all).toContain('x'.repeat(256));
    expect(all).not.toContain('x'.repeat(257));
  });

  it('does not wait for a collector that hangs when it is closed, nor for one that is away', async () => {
    answer = () => undefined;
    begin().end(null);
    const startedAt = performance.now();
    await tracing.close(300);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    await tracing.close(300);
  });
});
