import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Collector } from './collector.js';

const TAKEN = 0;
const LOST = 1;
const KEY = 'key-of-the-collector';

const spansOf = (count: number): ReadableSpan[] => {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
  for (let index = 0; index < count; index += 1) provider.getTracer('test').startSpan(`span ${index}`).end();
  return memory.getFinishedSpans();
};

const accept = (response: ServerResponse): void => void response.writeHead(200).end('{}');

describe('Collector', () => {
  let server: Server;
  let paths: string[];
  let keys: unknown[];
  let answer: (response: ServerResponse) => void;
  let lines: Record<string, unknown>[];
  let collector: Collector;

  const listen = (port = 0): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const portOf = (): number => (server.address() as AddressInfo).port;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const give = (count: number): Promise<number> =>
    new Promise((resolve) => collector.export(spansOf(count), ({ code }) => resolve(code)));

  beforeEach(async () => {
    [lines, paths, keys] = [[], [], []];
    answer = accept;
    for (const level of ['log', 'warn'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => {
        lines.push(line as Record<string, unknown>);
      });
    }
    server = createServer((request, response) => {
      paths.push(request.url ?? '');
      keys.push(request.headers['api-key']);
      request.resume();
      request.on('end', () => answer(response));
    });
    await listen();
    const url = `http://127.0.0.1:${portOf()}/v1/traces`;
    collector = new Collector({ url, headers: { 'api-key': KEY }, milliseconds: 400, mostAtOnce: 2 });
  });
  afterEach(async () => {
    collector.disconnect();
    if (server.listening) await stop();
    jest.restoreAllMocks();
  });

  it('hands spans over with the headers it was given, and says nothing', async () => {
    expect(await give(2)).toBe(TAKEN);
    expect([paths, keys, lines]).toEqual([['/v1/traces'], [KEY], []]);
    expect(collector.isAway).toBe(false);
  });

  it('says once that its spans are lost, and once, with their number, that they no longer are', async () => {
    answer = (response) => void response.writeHead(400, `words ${KEY}`).end(`more words ${KEY}`);
    expect([await give(2), await give(3), await give(1)]).toEqual([LOST, LOST, LOST]);
    expect(collector.isAway).toBe(true);
    answer = accept;
    expect([await give(1), await give(1)]).toEqual([TAKEN, TAKEN]);
    const origin = `http://127.0.0.1:${portOf()}`;
    expect(lines).toEqual([
      { msg: expect.stringContaining('they are lost until it does'), collector: origin, reason: 'it answers 400' },
      { msg: 'The collector takes traces again', collector: origin, lost_spans: 6 },
    ]);
    expect(JSON.stringify(lines)).not.toContain('words');
    expect(JSON.stringify(lines)).not.toContain(KEY);
  });

  it('follows no redirect', async () => {
    answer = (response) => void response.writeHead(307, { location: '/elsewhere' }).end();
    expect(await give(1)).toBe(LOST);
    expect(paths).toEqual(['/v1/traces']);
    expect(lines).toMatchObject([{ reason: 'it answers 307' }]);
  });

  it('reads no answer without end', async () => {
    answer = (response) => {
      response.writeHead(200);
      response.end(Buffer.alloc(8 * 1024 * 1024, 'x'));
    };
    expect(await give(1)).toBe(LOST);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['says nothing', () => undefined],
    [
      'answers byte by byte',
      (response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'), 50);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('gives up one that %s, as often as it does, and hangs up', async (_how, script) => {
    answer = script;
    for (let count = 0; count < 3; count += 1) expect(await give(1)).toBe(LOST);
    expect(paths).toHaveLength(3);
    answer = accept;
    expect(await give(1)).toBe(TAKEN);
    expect(lines).toHaveLength(2);
  });

  it('comes back to one that was not there', async () => {
    const port = portOf();
    await stop();
    expect(await give(1)).toBe(LOST);
    expect(lines).toMatchObject([{ reason: 'ECONNREFUSED' }]);
    await listen(port);
    expect(await give(1)).toBe(TAKEN);
  });
});
