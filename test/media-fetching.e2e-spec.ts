import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { startCanary, type Canary } from '../src/platform/http/outbound/servers.spec-support.js';
import { hostileUrls } from '../src/platform/http/outbound/ssrf-corpus.spec-data.js';
import { aModelConfig } from './factories/model-config.js';
import { call, elapsed, openCall, saveModel, until, usageOf, type Answer, type Json } from './support/calls.js';
import { politeScript, sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import {
  aChatWith,
  dataUrlOf,
  filePart,
  imagePart,
  type MediaServer,
  receivedParts,
  SAMPLES,
  startMediaServer,
} from './support/media.js';

const FIELD = 'messages[0].content[1].image_url.url';
const KEY = 'sk-canary-0123456789';

let provider: FakeProvider;
let server: MediaServer;
let canary: Canary;
let dropped = 0;
let open = 0;
let mostOpen = 0;
let hub: TestHub;

const redirect = (response: ServerResponse, location: string): boolean => {
  response.writeHead(302, { location }).end('moved');
  return true;
};

beforeAll(async () => {
  [provider, canary] = await Promise.all([startFakeProvider(), startCanary()]);
  server = await startMediaServer(({ url = '' }, response) => {
    const [, count] = /^\/hops\/(\d)/.exec(url) ?? [];
    if (count !== undefined) return redirect(response, count === '0' ? '/end.png' : `/hops/${Number(count) - 1}`);
    if (url === '/to-canary') return redirect(response, `http://127.0.0.1:${canary.port}/a.png`);
    if (url === '/to-metadata') return redirect(response, 'http://169.254.169.254/latest/meta-data/');
    if (url === '/to-file') return redirect(response, 'file:///etc/passwd');
    if (url === '/to-nowhere') return redirect(response, 'https://');
    if (url === '/never') return Boolean(response.on('close', () => (dropped += 1)));
    if (url === '/drip.png') return response.writeHead(200).write(SAMPLES.png);
    if (url.startsWith('/status/')) return Boolean(response.writeHead(Number(url.slice(8))).end('secret words'));
    if (url === '/empty.png') return Boolean(response.writeHead(200).end());
    if (url === '/zipped.png') return Boolean(response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'));
    if (url === '/unknown') return Boolean(response.writeHead(200).end(Buffer.from([0, 1, 2, 3])));
    if (url === '/video-as-image')
      return Boolean(response.writeHead(200, { 'content-type': 'image/png' }).end(SAMPLES.mp4));
    if (url === '/announced.png') return response.writeHead(200, { 'content-length': 2e9 }).write(SAMPLES.png);
    if (url === '/endless.png') return pour(response);
    if (!url.startsWith('/slow')) return false;
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    setTimeout(() => {
      open -= 1;
      response.end(SAMPLES.png);
    }, 50);
    return true;
  });
  const allowed = [provider.url.slice(0, -3), server.url].join(',');
  hub = await startHub({ env: { ALLOWED_PRIVATE_ORIGINS: allowed } });
});
beforeEach(() => {
  provider.calls.length = 0;
  provider.answerWith(politeScript);
  server.requests.length = 0;
});
afterAll(async () => {
  await hub.close();
  await Promise.all([provider.close(), server.close(), canary.close()]);
});

const pour = (response: ServerResponse): boolean => {
  response.writeHead(200, { 'content-type': 'image/png' });
  const block = Buffer.alloc(1_048_576);
  const more = (): void => {
    while (!response.destroyed && response.write(block));
  };
  response.on('drain', more);
  more();
  return true;
};

const CAPABLE = { supports_images: true, supports_files: true, supports_audio: true, supports_videos: true };
const model = (fields: Json = {}): Promise<Json> =>
  saveModel(hub, { provider: 'local', is_local: true, api_base: provider.url, ...CAPABLE, ...fields });
const aliasOf = async (fields: Json = {}): Promise<string> => String((await model(fields))['alias']);
const told = ({ status, error }: Answer): unknown[] => [status, error['code'], error['param']];
const ask = async (path: string, fields: Json = {}): Promise<Answer> =>
  call(hub, aChatWith(await aliasOf(fields), imagePart(`${server.url}${path}`)));

describe('a remote attachment that the provider cannot fetch itself', () => {
  it('is fetched and sent inline, and its server learns nothing of the model or the caller', async () => {
    const headers = { 'x-secret': 'canary-header' };
    const answer = await ask('/a.png?signature=1', { api_key: KEY, auth_headers: headers });
    expect(answer.status).toBe(200);
    expect(receivedParts(provider.calls[0]?.body)).toEqual([imagePart(dataUrlOf('png'))]);
    expect(provider.calls[0]?.headers['authorization']).toBe(`Bearer ${KEY}`);
    const [seen] = server.requests;
    expect(Object.keys(seen?.headers ?? {}).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host']);
    expect(JSON.stringify(seen)).not.toMatch(new RegExp(`${KEY}|canary-header|${hub.adminToken}`));
  });

  it('is fetched once, over retries, fallbacks and parts that name it twice', async () => {
    const last = await aliasOf();
    const alias = await aliasOf({ max_retries: 1, fallback_aliases: [last] });
    let asked = 0;
    provider.answerWith((received, response) =>
      (asked += 1) < 3 ? sendJson(response, 503, { error: { message: 'No' } }) : politeScript(received, response),
    );
    const part = imagePart(`${server.url}/once.png`);
    const answer = await call(hub, aChatWith(alias, part, part));
    expect([answer.status, answer.headers['x-hub-model'], provider.calls.length]).toEqual([200, last, 3]);
    expect(server.requests).toHaveLength(1);
    for (const { body } of provider.calls)
      expect(receivedParts(body)).toEqual(Array(2).fill(imagePart(dataUrlOf('png'))));
  });

  it('is one of at most four that are fetched at once', async () => {
    const parts = Array.from({ length: 12 }, (_, index) => imagePart(`${server.url}/slow?${index}`));
    expect((await call(hub, aChatWith(await aliasOf(), ...parts))).status).toBe(200);
    expect([server.requests.length, mostOpen]).toEqual([12, 4]);
  });

  it('may be three redirects away', async () => {
    expect((await ask('/hops/2')).status).toBe(200);
    expect(receivedParts(provider.calls[0]?.body)).toEqual([imagePart(dataUrlOf('png'))]);
    expect(told(await ask('/hops/3'))).toEqual([422, 'media_not_available', FIELD]);
  });

  it.each([
    ['/status/404', 'answers with status 404'],
    ['/status/500', 'answers with status 500'],
    ['/status/204', 'answers with status 204'],
    ['/to-nowhere', 'redirects to nowhere'],
    ['/empty.png', 'is empty'],
    ['/zipped.png', 'compressed'],
    ['/unknown', 'of no known type'],
  ])('%s is 422 that names the field and says why: %s', async (path, why) => {
    const answer = await ask(path);
    expect(told(answer)).toEqual([422, 'media_not_available', FIELD]);
    expect(String(answer.error['message'])).toContain(why);
    expect(answer.text).not.toContain('secret words');
    expect(provider.calls).toEqual([]);
  });

  it.each(['/to-canary', '/to-metadata', '/to-file'])('is not followed %s', async (path) => {
    expect(told(await ask(path))).toEqual([400, 'media_not_allowed', FIELD]);
    expect([canary.connections(), provider.calls]).toEqual([0, []]);
  });

  it.each(['/announced.png', '/endless.png'])('is not read beyond max_file_size_mb: %s', async (path) => {
    const answer = await ask(path, { max_file_size_mb: 2 });
    expect(told(answer)).toEqual([422, 'file_too_large', FIELD]);
    expect(String(answer.error['message'])).toContain('2 MB');
    expect(provider.calls).toEqual([]);
  });

  it('is judged again by its bytes', async () => {
    expect(told(await ask('/video-as-image', { supports_videos: false }))).toEqual([
      422,
      'modality_not_supported',
      FIELD,
    ]);
    expect(provider.calls).toEqual([]);
  });

  it.each(['/never', '/drip.png'])(
    'that does not arrive in the time of the call is 422, and counted for no model: %s',
    async (path) => {
      const { id, alias } = await model({ request_timeout: 1 });
      const { value, milliseconds } = await elapsed(() =>
        call(hub, aChatWith(alias, imagePart(`${server.url}${path}`))),
      );
      expect(told(value)).toEqual([422, 'media_not_available', FIELD]);
      expect(milliseconds).toBeLessThan(1500);
      expect(await usageOf(hub, id)).toEqual([]);
    },
  );

  it('is no longer fetched when the caller leaves', async () => {
    const alias = await aliasOf();
    const gone = openCall(hub.url, hub.adminToken, aChatWith(alias, imagePart(`${server.url}/never`)));
    await until(
      () => server.requests.length,
      (count) => count === 1,
    );
    const before = dropped;
    gone.leave();
    await gone.done.catch(() => undefined);
    await until(
      () => dropped,
      (count) => count === before + 1,
      1000,
    );
    expect(provider.calls).toEqual([]);
  });
});

describe('a hostile address', () => {
  /** Of a public host: as the address of a file these are in order. */
  const inOrder = (text: string): boolean => /^https:\/\/api\.example\.com\/(?:v1\?$|a{3000}$)/.test(text);

  it('in an attachment opens no connection, whether the hub or the provider would fetch it', async () => {
    const forms = hostileUrls(canary.port).filter(({ text }) => !inOrder(text));
    expect(forms.length).toBeGreaterThanOrEqual(60);
    const aliases = [await aliasOf(), await aliasOf({ provider: 'openai', api_key: KEY })];
    for (const { text, reason } of forms) {
      for (const alias of aliases) {
        const parts = [imagePart(text), filePart({ file_url: text })];
        for (const part of reason === null ? parts.slice(0, 1) : parts) {
          const { status, error } = await call(hub, aChatWith(alias, part));
          const isResolved = reason === null && alias === aliases[1];
          // A public name whose addresses this machine cannot find out is passed on; there is nothing of ours behind it.
          const right = isResolved ? [200, 400] : reason === null ? [400, 422] : [400];
          expect([text, right.includes(status), status === 400 ? typeof error['param'] : 'string']).toEqual([
            text,
            true,
            'string',
          ]);
          if (status === 400 && reason !== 'malformed' && !text.startsWith('data:'))
            expect([text, error['code']]).toEqual([text, 'media_not_allowed']);
        }
      }
    }
    expect(canary.connections()).toBe(0);
  });

  it('in api_base opens no connection, neither when it is saved nor when it is called', async () => {
    const forms = hostileUrls(canary.port);
    for (const { text, reason } of forms) {
      const fields = aModelConfig({ api_base: text, max_retries: 0 });
      const saved = await hub.request('post', CONFIGS).send(fields);
      expect([text, saved.status]).toEqual([text, reason === null ? 201 : 400]);
      if (saved.status === 201) expect((await call(hub, aChatWith(fields['alias']))).status).toBe(502);
    }
    expect(canary.connections()).toBe(0);
  });
});

it('the hub is never fetched by itself, though loopback is allowed', async () => {
  const loopback = await startHub();
  const { alias } = await saveModel(loopback, {
    provider: 'local',
    is_local: true,
    api_base: provider.url,
    ...CAPABLE,
  });
  const { port } = new URL(loopback.url);
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '127.0.0.1.']) {
    const answer = await call(loopback, aChatWith(alias, imagePart(`http://${host}:${port}/health`)));
    expect([host, answer.status, answer.error['code']]).toEqual([host, 400, 'media_not_allowed']);
  }
  expect(loopback.logs()).not.toContain('"/health"');
  expect((await call(loopback, aChatWith(alias, imagePart(`${server.url}/a.png`)))).status).toBe(200);
  // What no hostile address reached before is within reach here.
  const answer = await call(loopback, aChatWith(alias, imagePart(`http://127.0.0.1:${canary.port}/a.png`)));
  expect([answer.error['code'], canary.connections()]).toEqual(['media_not_available', 1]);
  await loopback.close();
});
