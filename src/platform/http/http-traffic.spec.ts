import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpTraffic } from './http-traffic.js';

const STALLED_MILLISECONDS = 300;
const MEGABYTE = 1024 * 1024;

describe('a connection on which nothing goes either way', () => {
  const traffic = new HttpTraffic();
  let answer: (response: ServerResponse) => void;
  const server = traffic.createServer({}, (_request, response) => answer(response));
  let socket: Socket;
  let isCut: () => boolean;

  beforeEach(async () => {
    server.timeout = STALLED_MILLISECONDS;
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
    socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    while (traffic.openConnections === 0) await sleep(5);
    isCut = (): boolean => traffic.openConnections === 0;
  });
  afterEach(() => void socket.destroy());

  const ask = (): void => void socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n');

  const cutWithin = async (milliseconds: number): Promise<boolean> => {
    for (const end = performance.now() + milliseconds; performance.now() < end && !isCut();) await sleep(20);
    return isCut();
  };

  it('is cut when an answer waits for a caller who does not read', async () => {
    answer = (response) => void response.end(Buffer.alloc(20 * MEGABYTE));
    socket.pause();
    ask();
    await sleep(100);
    expect(isCut()).toBe(false);
    expect(await cutWithin(5000)).toBe(true);
    expect(traffic.openRequests).toBe(0);
  });

  it('is left alone while the caller waits for an answer, and cut when he then does not read it', async () => {
    let pending: ServerResponse | undefined;
    answer = (response) => (pending = response);
    ask();
    expect(await cutWithin(3 * STALLED_MILLISECONDS)).toBe(false);
    socket.pause();
    pending?.end(Buffer.alloc(20 * MEGABYTE));
    expect(await cutWithin(5000)).toBe(true);
  });

  it('is left alone while the caller reads, however slowly', async () => {
    answer = (response) => void response.end(Buffer.alloc(20 * MEGABYTE));
    let received = 0;
    socket.on('data', (piece) => (received += piece.length));
    ask();
    for (let turn = 0; turn < 10; turn += 1) {
      socket.pause();
      await sleep(STALLED_MILLISECONDS / 3);
      socket.resume();
      await sleep(5);
    }
    expect(isCut()).toBe(false);
    const isLess = (): boolean => received < 20 * MEGABYTE;
    for (const end = performance.now() + 5000; isLess() && performance.now() < end;) await sleep(20);
    expect(received).toBeGreaterThan(20 * MEGABYTE);
  });
});
