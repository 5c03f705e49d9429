import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { call, elapsed } from './support/calls.js';
import { startFaultProxy, type FaultProxy } from './support/fault-proxy.js';

/** The harness itself: a fault that is not there would make every story about it green. */
describe('the fault proxy', () => {
  const TEXT = 'x'.repeat(2000);
  let server: Server;
  let requests = 0;
  let proxy: FaultProxy;
  beforeEach(async () => {
    requests = 0;
    server = createServer((request, response) => {
      requests += 1;
      request.resume().on('end', () => response.end(TEXT));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = await startFaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { seed: 7 });
  });
  afterEach(async () => {
    await proxy.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const ask = (): Promise<string> => call({ url: proxy.url, adminToken: 'none' }, {}).then(({ text }) => text);

  it('passes on what comes, whole or in slices', async () => {
    expect(await ask()).toBe(TEXT);
    proxy.set({ sliceBytes: 3 });
    expect(await ask()).toBe(TEXT);
    expect(proxy.opened()).toBe(2);
  });

  it('delays and drips', async () => {
    proxy.set({ latencyMs: 150 });
    expect((await elapsed(ask)).milliseconds).toBeGreaterThan(290);
    proxy.set({ latencyMs: 0, bytesPerSecond: 10_000 });
    expect((await elapsed(ask)).milliseconds).toBeGreaterThan(150);
  });

  it('breaks, refuses, and is there again', async () => {
    proxy.set({ resetAfterBytes: 1000, sliceBytes: 100 });
    await expect(ask()).rejects.toThrow();
    proxy.set({ resetAfterBytes: 0, line: 'down' });
    await expect(ask()).rejects.toThrow();
    expect(requests).toBe(1);
    proxy.set({ line: 'open' });
    expect(await ask()).toBe(TEXT);
  });

  it('cuts where a text passes by, before or after it was done', async () => {
    proxy.set({ cutAtRequest: 'POST' });
    await expect(ask()).rejects.toThrow();
    expect(requests).toBe(0);
    proxy.set({ cutAtRequest: '', cutAtAnswer: 'xxx' });
    await expect(ask()).rejects.toThrow();
    expect(requests).toBe(1);
    proxy.set({ cutAtAnswer: 'y' });
    expect(await ask()).toBe(TEXT);
  });

  it('loses answers to what was done', async () => {
    proxy.set({ line: 'deaf' });
    await expect(ask()).rejects.toThrow();
    expect(requests).toBe(1);
  });

  it('holds back what was sent into silence until it is over', async () => {
    proxy.set({ line: 'silent' });
    const answer = ask();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect({ requests, open: proxy.connections() }).toEqual({ requests: 0, open: 1 });
    proxy.set({ line: 'open' });
    expect(await answer).toBe(TEXT);
  });
});
