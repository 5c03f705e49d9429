// Secrets that were never seen before are saved, used, failed with and typed into wrong places; then every place that
// anything could have been written to is searched for them, in every encoding.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type pg from 'pg';
import { openSnapshot } from '../src/ai-model/model-directory/sealed-snapshot.js';
import { snapshotKeyOf } from '../src/ai-model/model-directory/snapshot-keys.js';
import { Secret } from '../src/platform/secrets/secret.js';
import { aModelConfig } from './factories/model-config.js';
import { until } from './support/calls.js';
import { type Canary, CanaryScanner, filesBelow, type Finding } from './support/canary-scanner.js';
import { dumpTables } from './support/dump.js';
import { connectToEmbedded, databaseDirectory, removeDataDirectory } from './support/embedded-database.js';
import { chunk, type FakeProvider, politeScript, sendJson, startFakeProvider } from './support/fake-provider.js';
import { CONFIGS, randomKeyRing } from './support/hub.js';
import { type HubProcess, startHubProcess } from './support/hub-process.js';

type Body = Record<string, unknown>;

interface Exchange {
  title: string;
  status: number;
  text: string;
  headers: string;
}

/** Some seconds on a machine with nothing else to do. */
const STORY_MILLISECONDS = 180_000;

const random = (length: number): string =>
  randomBytes(length * 2)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, length);

/** Every character that some encoding treats in its own way is in it, so that each form is another text. */
const oddKey = (): string => `${random(18)}7"\\/+%&${random(18)}`;
/** Of a shape that is known to be a secret wherever it stands. */
const knownShape = (): string => `sk-${random(4)}7${random(35)}`;

const SECRETS = {
  key: oddKey(),
  nextKey: oddKey(),
  shapedKey: knownShape(),
  header: `Org ${random(12)}7+/&${random(12)}`,
  adminToken: random(44),
  serviceToken: random(44),
  ring: randomKeyRing(),
};

const echoes: Record<string, (secret: string) => string> = {
  raw: (secret) => secret,
  quoted: (secret) => JSON.stringify(secret),
  'URL-encoded': (secret) => encodeURIComponent(secret),
  base64: (secret) => Buffer.from(secret).toString('base64'),
  'base64 of a header': (secret) => Buffer.from(`Bearer ${secret}`).toString('base64'),
  base64url: (secret) => Buffer.from(`x:${secret}`).toString('base64url'),
  hex: (secret) => Buffer.from(secret).toString('hex'),
  HEX: (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
  'masked in the middle': (secret) => `${secret.slice(0, 20)}********${secret.slice(-20)}`,
};

type Answer = (response: ServerResponse, echo: string) => void;

const everyField = (echo: string): Body => ({
  error: { message: `Incorrect API key provided: ${echo}.`, type: echo, param: echo, code: echo },
});

const stream = (response: ServerResponse, ...events: string[]): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.join(''));
};

/** Each way in which a provider can give back, in an error, what it was sent. */
const failures: Record<string, Answer> = {
  'a 401': (response, echo) => sendJson(response, 401, everyField(echo)),
  'a 400': (response, echo) => sendJson(response, 400, everyField(echo)),
  'a 429': (response, echo) => sendJson(response, 429, everyField(echo), { 'x-ratelimit-limit-requests': echo }),
  'a 500 of one text': (response, echo) => sendJson(response, 500, { error: echo }),
  'a 403 of a flat body': (response, echo) => sendJson(response, 403, { detail: `no entry for ${echo}` }),
  'a 404 of plain text': (response, echo) => {
    response.writeHead(404, { 'content-type': 'text/plain' });
    response.end(`${echo} knows no such model`);
  },
  'a 502 page': (response, echo) => {
    response.writeHead(502, { 'content-type': 'text/html' });
    response.end(`<html>authorization: Bearer ${echo}</html>`);
  },
  'a redirect': (response, echo) => {
    response.writeHead(307, { location: `http://127.0.0.1:1/?key=${encodeURIComponent(echo)}` });
    response.end();
  },
  'an error with a good status': (response, echo) => sendJson(response, 200, everyField(echo)),
  'an error in a stream': (response, echo) =>
    stream(response, chunk('Hel'), `data: ${JSON.stringify(everyField(echo))}\n\n`),
  'a text that is no JSON': (response, echo) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`{"error": ${echo}`);
  },
  'a reset': (response) => void response.socket?.destroy(),
  'a header that is none': (response, echo) =>
    void response.socket?.end(`HTTP/1.1 401 Unauthorized\r\nbad header ${echo}\r\n\r\n`),
  'a header with a control character': (response, echo) =>
    void response.socket?.end(`HTTP/1.1 200 OK\r\nx-echo: ${echo}\u0001\r\n\r\n`),
  'a status line that is none': (response, echo) => void response.socket?.end(`${echo}\r\n\r\n`),
};

describe('a secret that is saved, used and failed with', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-test-canary-'));
  const exchanges: Exchange[] = [];
  let hub: HubProcess;
  let provider: FakeProvider;
  let database: pg.Client;
  let canaries: Canary[];
  let scanner: CanaryScanner;
  let configId: string;
  let snapshot: string;
  let lastErrors: string[];

  const exchange = async (
    method: string,
    path: string,
    options: { body?: unknown; token?: string | null; headers?: Record<string, string>; unrecorded?: boolean } = {},
  ): Promise<{ status: number; text: string; body: Body }> => {
    const { body, token = SECRETS.adminToken, headers = {} } = options;
    const answer = await fetch(hub.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = /json/.test(answer.headers.get('content-type') ?? '');
    if (!options.unrecorded) {
      const head = JSON.stringify([...answer.headers]);
      exchanges.push({
        title: `answer ${exchanges.length} to ${method} ${path}`,
        status: answer.status,
        text,
        headers: head,
      });
    }
    return { status: answer.status, text, body: (isJson && text !== '' ? JSON.parse(text) : {}) as Body };
  };

  const call = (
    model: string,
    isStreamed: boolean,
    token?: string,
  ): Promise<{ status: number; text: string; body: Body }> =>
    exchange('POST', '/v1/chat/completions', {
      body: { model, stream: isStreamed, messages: [{ role: 'user', content: 'Hi' }] },
      ...(token !== undefined && { token }),
    });

  const query = async <Row extends object>(text: string): Promise<Row[]> => (await database.query<Row>(text)).rows;

  const scanDump = async (): Promise<Finding[]> => {
    const dump = await dumpTables(query);
    return Object.entries(dump).flatMap(([table, rows]) => scanner.scan(`table ${table}`, rows.join('\n')));
  };

  const scanFiles = async (): Promise<Finding[]> => {
    await database.query('CHECKPOINT');
    const directories = new Set([dataDir, databaseDirectory(dataDir)]);
    return [...directories].flatMap((directory) => scanner.scanDirectory(directory));
  };

  const save = async (alias: string): Promise<string> => {
    const saved = await exchange('POST', CONFIGS, {
      body: aModelConfig({
        alias,
        api_base: provider.url,
        api_key: SECRETS.key,
        auth_headers: { 'X-Canary': SECRETS.header },
        max_retries: 0,
      }),
    });
    expect(saved.status).toBe(201);
    return String(saved.body['id']);
  };

  const use = async (): Promise<void> => {
    for (const isStreamed of [false, true]) {
      const answer = await call('canary', isStreamed);
      expect(answer.status).toBe(200);
      expect(answer.text).toContain('Hel');
    }
    const headers = provider.calls.map((received) => received.headers);
    expect(headers).toHaveLength(2);
    for (const sent of headers) {
      expect(sent).toMatchObject({ authorization: `Bearer ${SECRETS.key}`, 'x-canary': SECRETS.header });
    }
  };

  /** A config for each failure, so that each keeps a last error of its own. */
  const fail = async (): Promise<void> => {
    const before = provider.calls.length;
    let expected = 0;
    for (const answer of Object.values(failures)) {
      for (const echo of Object.values(echoes)) {
        const alias = `failing-${expected}`;
        // Alternating: with fifteen failures and nine encodings, each encoding meets both.
        const secret = (expected / 2) % 2 === 0 ? SECRETS.key : SECRETS.header;
        await save(alias);
        provider.answerWith((_call, response) => answer(response, echo(secret)));
        const answers = await Promise.all([call(alias, false), call(alias, true)]);
        expected += answers.length;
        expect(answers.map(({ text }) => text.includes('"error"'))).toEqual([true, true]);
      }
    }
    provider.answerWith(politeScript);
    expect(provider.calls.length - before).toBe(expected);
  };

  const typeIntoWrongPlaces = async (): Promise<void> => {
    const { shapedKey, key } = SECRETS;
    const wrong: Body[] = [
      { alias: key },
      { provider: shapedKey },
      { provider: key },
      { model_name: { [shapedKey]: key } },
      { api_version: key },
      { api_base: key },
      { api_base: `http://${shapedKey}@127.0.0.1:9` },
      { api_base: `http://user:${encodeURIComponent(key)}@127.0.0.1:9/v1` },
      { api_base: `http://10.0.0.1/?key=${encodeURIComponent(key)}` },
      { api_key: `${key}***` },
      { api_key: `${shapedKey} ${shapedKey}` },
      { api_key: [shapedKey] },
      { api_key: { value: shapedKey } },
      { auth_headers: shapedKey },
      { auth_headers: { [shapedKey]: 'x' } },
      { auth_headers: { host: key } },
      { auth_headers: { 'x-canary': `${key}\r\nx: y` } },
      { max_tokens: key },
      { default_temperature: key },
      { is_local: shapedKey },
      { supported_file_types: [key] },
      { custom_parameters: key },
      { custom_parameters: { model: key } },
      { tags: { [key]: 1 } },
      { fallback_aliases: [key] },
      { system_prompt_name: shapedKey },
      { status: key },
      { id: key },
      { [shapedKey]: 'x' },
      { constructor: key },
    ];
    for (const fields of wrong) {
      const created = await exchange('POST', CONFIGS, { body: { ...aModelConfig(), ...fields } });
      const updated = await exchange('PUT', `${CONFIGS}/${configId}`, { body: fields });
      expect({
        fields: Object.keys(fields),
        statuses: [created.status, updated.status].map((s) => s >= 400 && s < 500),
      }).toEqual({
        fields: Object.keys(fields),
        statuses: [true, true],
      });
    }
    const inAddress = encodeURIComponent(shapedKey);
    const others = [
      await exchange('POST', CONFIGS, { body: `{"api_key": "${shapedKey}", oops` }),
      await exchange('POST', CONFIGS, { body: JSON.stringify([key]) }),
      await exchange('POST', CONFIGS, { body: key, headers: { 'content-type': 'text/plain' } }),
      await exchange('POST', '/api/v1/tokens', { body: { name: 'x', scopes: [key], [shapedKey]: 1 } }),
      await exchange('POST', '/api/v1/tokens', { body: { name: 'x', scopes: ['invoke'], expires_at: key } }),
      await exchange('POST', '/internal/v1/usage', { body: { batch_id: key }, token: SECRETS.serviceToken }),
      await exchange('GET', `${CONFIGS}/${inAddress}`),
      await exchange('GET', `${CONFIGS}/by-alias/${inAddress}`),
      await exchange('GET', `/nothing/${inAddress}?key=${inAddress}`),
      await exchange('GET', `/v1/models/${inAddress}`),
      await exchange('GET', `${CONFIGS}?status=${encodeURIComponent(key)}`),
      await exchange('GET', `${CONFIGS}?sort=${encodeURIComponent(key)}&limit=${inAddress}`),
      await exchange('GET', `${CONFIGS}?${inAddress}=1`),
      await exchange('PUT', `${CONFIGS}/${configId}`, {
        body: { priority: 1 },
        headers: { 'if-match': `"${shapedKey}"` },
      }),
      await exchange('GET', CONFIGS, { token: shapedKey }),
      await exchange('GET', CONFIGS, { token: key }),
      await exchange('GET', '/v1/models', { token: null, headers: { 'x-api-key': shapedKey } }),
      await exchange('GET', '/docs', { token: null, headers: { authorization: `Basic ${btoa(`me:${shapedKey}`)}` } }),
      await call(shapedKey, false),
      await call(shapedKey, true),
      ...(await Promise.all(
        [{ api_key: key }, { [shapedKey]: 1, stream: key }, { messages: key }, { extra_body: { api_base: key } }].map(
          (fields) =>
            exchange('POST', '/v1/chat/completions', { body: { model: 'canary', messages: [{}], ...fields } }),
        ),
      )),
    ];
    expect(others.filter(({ status }) => status < 400 || status >= 500)).toEqual([]);
  };

  const change = async (): Promise<void> => {
    const path = `${CONFIGS}/${configId}`;
    const put = (body: Body): Promise<{ status: number; body: Body }> => exchange('PUT', path, { body });
    expect(await put({ api_base: 'http://127.0.0.1:18999/v1' })).toMatchObject({
      status: 422,
      body: { code: 'credential_required' },
    });
    const hint = SECRETS.key.slice(-4);
    for (const masked of [`sk-…${hint}`, '***', `****${hint}`, `${SECRETS.key.slice(0, 3)}...${hint}`]) {
      expect(await put({ api_key: masked })).toMatchObject({ status: 422, body: { code: 'masked_api_key' } });
    }
    expect(await put({ api_key: SECRETS.nextKey })).toMatchObject({
      status: 200,
      body: { api_key_hint: SECRETS.nextKey.slice(-4) },
    });
    expect(await put({ description: 'changed', auth_headers: { 'X-Canary': SECRETS.header } })).toMatchObject({
      status: 200,
    });
  };

  const readEverything = async (): Promise<void> => {
    const document = await exchange('GET', '/docs/openapi.json');
    const paths = Object.entries(document.body['paths'] as Record<string, Body>)
      .filter(([, operations]) => 'get' in operations)
      .map(([path]) => path.replace('{id}', configId).replace(/\{[^}]+\}|\*/, 'canary'));
    expect(paths.length).toBeGreaterThan(10);
    const undocumented = [
      '/docs',
      '/docs/start.js',
      '/internal/v1/snapshot',
      '/metrics',
      '/console',
      '/api/v1/ai-models/export',
    ];
    for (const path of [...paths, ...undocumented]) {
      await exchange('GET', path);
      await exchange('GET', path, { token: null });
    }
    for (const filter of ['q=canary', 'status=configured', 'provider=openai_compatible&sort=-priority', 'q=sk-']) {
      expect(await exchange('GET', `${CONFIGS}?${filter}`)).toMatchObject({ status: 200 });
    }
  };

  /** The counters follow within two seconds; then the last errors are in the rows, and in what is read of them. */
  const waitForUsage = async (calls: number): Promise<string[]> => {
    for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const [row] = await query<{ calls: number }>('SELECT sum(usage_count)::int AS calls FROM ai_model_configs');
      if (row?.calls !== calls) continue;
      const { body } = await exchange('GET', `${CONFIGS}?limit=1000`);
      return (body['models'] as Body[]).flatMap((config) =>
        config['last_error'] === null ? [] : (config['last_error'] as string),
      );
    }
    throw new Error(`The usage of ${calls} calls was not counted in time.`);
  };

  beforeAll(async () => {
    provider = await startFakeProvider();
    hub = await startHubProcess({
      PORT: '0',
      DATA_DIR: dataDir,
      LOG_LEVEL: 'debug',
      ADMIN_TOKEN: SECRETS.adminToken,
      STORAGE_SERVICE_TOKEN: SECRETS.serviceToken,
      ENCRYPTION_KEYS: SECRETS.ring,
    });
    database = await connectToEmbedded(dataDir);
    configId = await save('canary');
    await use();
    await fail();
    const created = await exchange('POST', '/api/v1/tokens', {
      body: { name: 'canary', scopes: ['invoke'] },
      unrecorded: true,
    });
    const token = String(created.body['token']);
    expect((await call('canary', true, token)).status).toBe(200);
    lastErrors = await waitForUsage(provider.calls.length);
    await typeIntoWrongPlaces();
    await change();
    // The change reaches the callers a moment after it is acknowledged.
    for (const end = Date.now() + 5000; Date.now() < end;) {
      expect((await call('canary', false, token)).status).toBe(200);
      if (provider.calls.at(-1)?.headers['authorization'] === `Bearer ${SECRETS.nextKey}`) break;
    }
    expect(provider.calls.at(-1)?.headers['authorization']).toBe(`Bearer ${SECRETS.nextKey}`);
    await readEverything();
    snapshot = (await exchange('GET', '/internal/v1/snapshot', { token: SECRETS.serviceToken, unrecorded: true })).text;
    canaries = [
      ...Object.entries(SECRETS).map(([name, text]) => ({
        name,
        text: name === 'ring' ? (text.split(':')[1] ?? '') : text,
      })),
      { name: 'token', text: token, allowed: [String(created.body['prefix'])] },
    ];
    scanner = new CanaryScanner(canaries);
  }, STORY_MILLISECONDS);

  afterAll(async () => {
    await database.end();
    await hub.stop();
    await provider.close();
    removeDataDirectory(dataDir);
  });

  it('is in no answer, neither body nor header', () => {
    expect(exchanges.length).toBeGreaterThan(400);
    expect(new Set(exchanges.map(({ status }) => status)).size).toBeGreaterThan(8);
    expect(exchanges.flatMap(({ title, text, headers }) => scanner.scan(title, `${headers}\n${text}`))).toEqual([]);
  });

  it('is in no last_error, which says all the same what happened', () => {
    expect(lastErrors).toHaveLength(Object.keys(failures).length * Object.keys(echoes).length);
    expect(lastErrors.filter((text) => !/^[a-z_]+(?: \(\d+\))?: \S/.test(text))).toEqual([]);
    expect(lastErrors.filter((text) => text.includes('Incorrect API key provided: ')).length).toBeGreaterThan(30);
    expect(lastErrors.flatMap((text) => scanner.scan('last_error', text))).toEqual([]);
  });

  it('is in no line of the logs at debug', () => {
    const logs = hub.output();
    expect(logs).toContain('"level":"debug"');
    expect(logs).toContain('/v1/chat/completions');
    expect(scanner.scan('logs', logs)).toEqual([]);
  });

  it('is in no column of no table, where only the sealed form stands', async () => {
    const [row] = await query<{ api_key: string; auth_headers: string }>(
      `SELECT api_key, auth_headers FROM ai_model_configs WHERE alias = 'canary'`,
    );
    expect(row?.api_key).toMatch(/^hub1\.k1\./);
    expect(row?.auth_headers).toMatch(/^hub1\.k1\./);
    expect(await scanDump()).toEqual([]);
  });

  it('is in no file of the database and of DATA_DIR, where the sealed form is found', async () => {
    expect(await scanFiles()).toEqual([]);
    // What it keeps for a start without storage is among them, and holds every key.
    const canariesKept = (): Promise<string[]> => {
      const kept = readFileSync(join(dataDir, 'last-known-good'));
      expect(scanner.scan('last-known-good', kept)).toEqual([]);
      const opened = openSnapshot([snapshotKeyOf(Secret.of(SECRETS.serviceToken))], kept);
      if (typeof opened === 'string') throw new Error(opened);
      const found = scanner.scan('last-known-good', gunzipSync(opened.content));
      return Promise.resolve(found.map(({ canary }) => canary));
    };
    // It is written every few seconds at most.
    await until(canariesKept, (found) => found.includes('nextKey'), 10_000);
    const rows = await query<{ alias: string; sealed: string }>(
      `SELECT alias, api_key AS sealed FROM ai_model_configs WHERE alias = 'canary'`,
    );
    const sealed = new CanaryScanner(rows.map(({ alias, sealed: text }) => ({ name: alias, text })));
    const places = sealed.scanDirectory(databaseDirectory(dataDir)).map(({ where }) => where);
    expect(places).toContainEqual(expect.stringMatching(/\/base\/\d+\/\d+$/));
    expect(places).toContainEqual(expect.stringContaining('/pg_wal/'));
  });

  it('is where it has to be: in the snapshot that the AI model service asks for', () => {
    const found = scanner.scan('snapshot', snapshot).map(({ canary }) => canary);
    expect([...new Set(found)].sort()).toEqual(['header', 'key', 'nextKey']);
  });

  it('would be found: planted in a table and a file it is, in each encoding', async () => {
    const planted = Object.values(echoes).map((echo) => echo(SECRETS.key));
    const file = join(dataDir, 'planted');
    for (const text of planted) {
      await database.query(`UPDATE ai_model_configs SET description = $1 WHERE alias = 'canary'`, [
        `see ${text}, please`,
      ]);
      writeFileSync(file, Buffer.concat([randomBytes(1000), Buffer.from(text), randomBytes(1000)]));
      expect(await scanDump()).toContainEqual(
        expect.objectContaining({ canary: 'key', where: 'table ai_model_configs' }),
      );
      expect(scanner.scanDirectory(dataDir)).toContainEqual(expect.objectContaining({ canary: 'key', where: file }));
    }
    const inDatabase = (await scanFiles()).filter(
      ({ where }) => where.startsWith(databaseDirectory(dataDir)) && where !== file,
    );
    expect(inDatabase).toContainEqual(expect.objectContaining({ canary: 'key' }));
    rmSync(file);
    await database.query('UPDATE ai_model_configs SET description = NULL');
  });
});

describe('the scanner', () => {
  const secret = `Ab3${random(20)}"\\/+%&`;
  const scanner = new CanaryScanner([{ name: 'secret', text: secret, allowed: [secret.slice(0, 10)] }]);
  const noise = (): string => random(500);

  it.each<[string, (text: string) => string]>([
    ...Object.entries(echoes),
    ['reversed', (text) => [...text].toReversed().join('')],
    ['base64 at 1', (text) => Buffer.from(`.${text}.`).toString('base64')],
    ['base64 at 2', (text) => Buffer.from(`..${text}.`).toString('base64')],
    ['URL-encoded throughout', (text) => [...text].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('')],
    ['any eight characters', (text) => text.slice(7, 15)],
    ['the last eight characters', (text) => text.slice(-8)],
  ])('finds it %s', (_form, encode) => {
    expect(scanner.scan('here', noise() + encode(secret) + noise())).not.toEqual([]);
    expect(scanner.scan('here', encode(secret))).not.toEqual([]);
  });

  it('leaves seven characters, the hint and the allowed part alone', () => {
    const shown = [secret.slice(12, 19), secret.slice(-4), secret.slice(0, 10), noise()].join(' ');
    expect(scanner.scan('here', shown)).toEqual([]);
  });

  it('reads the files of a directory', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hub-test-scanner-'));
    writeFileSync(join(directory, 'a'), 'nothing');
    writeFileSync(join(directory, 'b'), secret);
    expect(filesBelow(directory)).toHaveLength(2);
    expect(new Set(scanner.scanDirectory(directory).map(({ where }) => where))).toEqual(
      new Set([join(directory, 'b')]),
    );
    rmSync(directory, { recursive: true });
  });
});
