import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageBuffer } from '../../src/ai-model/usage/usage-buffer.js';
import { aModelConfig } from '../factories/model-config.js';
import { CONFIGS, type TestHub } from './hub.js';

export type Json = Record<string, unknown>;

export const CHAT = '/v1/chat/completions';

/** What a call came back with, to the byte. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  text: string;
  json: Json;
  /** OpenAI's `error` object; empty when there is none. */
  error: Json;
}

/** A call under way: what has arrived of it so far, and when. */
export interface OpenCall {
  head: Promise<{ status: number; headers: IncomingHttpHeaders }>;
  pieces: { at: number; bytes: Buffer }[];
  text: () => string;
  pause: () => void;
  resume: () => void;
  /** Cuts the connection, as a caller who goes away. */
  leave: () => void;
  /** Resolves with everything once the answer has ended; fails when the connection breaks before. */
  done: Promise<Answer>;
}

export interface CallOptions {
  token?: string;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
}

type Body = Buffer | string | Json;

const asBytes = (body: Body): Buffer =>
  Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));

const parseOrEmpty = (text: string): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
};

const toAnswer = (status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answer => {
  const text = bytes.toString('utf8');
  const json = parseOrEmpty(text);
  return { status, headers, bytes, text, json, error: (json['error'] ?? {}) as Json };
};

/** Posts bytes with plain `node:http`: no client in between that retries, decodes or buffers. */
export const openCall = (url: string, token: string, body: Body, options: CallOptions = {}): OpenCall => {
  const bytes = asBytes(body);
  const pieces: OpenCall['pieces'] = [];
  const controls: Pick<OpenCall, 'pause' | 'resume'> = { pause: () => undefined, resume: () => undefined };
  const request = httpRequest(new URL(options.path ?? CHAT, url), {
    method: options.method ?? 'POST',
    agent: false,
    headers: {
      'content-type': 'application/json',
      ...(options.headers?.['transfer-encoding'] === undefined && { 'content-length': bytes.length }),
      authorization: `Bearer ${options.token ?? token}`,
      ...options.headers,
    },
  });
  const opened = new Promise<{ status: number; headers: IncomingHttpHeaders; ended: Promise<void> }>(
    (resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        controls.pause = () => void response.pause();
        controls.resume = () => void response.resume();
        const ended = new Promise<void>((finish, fail) => {
          response.on('data', (piece: Buffer) => pieces.push({ at: performance.now(), bytes: piece }));
          response.on('end', finish);
          response.on('close', () => fail(new Error('The answer broke off')));
          response.on('error', fail);
        });
        ended.catch(() => undefined);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, ended });
      });
    },
  );
  const all = (): Buffer => Buffer.concat(pieces.map((piece) => piece.bytes));
  const done = opened.then(async ({ status, headers, ended }) => {
    await ended;
    return toAnswer(status, headers, all());
  });
  done.catch(() => undefined);
  opened.catch(() => undefined);
  request.end(bytes);
  return {
    head: opened,
    pieces,
    text: () => all().toString('utf8'),
    pause: () => controls.pause(),
    resume: () => controls.resume(),
    leave: () => void request.destroy(),
    done,
  };
};

/** A whole call through a hub, with the admin token unless another is given. */
export const call = (
  hub: Pick<TestHub, 'url' | 'adminToken'>,
  body: Body,
  options: CallOptions = {},
): Promise<Answer> => openCall(hub.url, hub.adminToken, body, options).done;

export const MESSAGES = [{ role: 'user', content: 'Hi' }];

/** A body that every model takes. */
export const aChat = (alias: unknown, fields: Json = {}): Json => ({ model: alias, messages: MESSAGES, ...fields });

/** Saves a config through REST and answers it: a model whose failing provider is asked once, unless a test wants it otherwise. */
export const saveModel = async (hub: Pick<TestHub, 'request'>, fields: Json = {}): Promise<Json> =>
  (
    await hub
      .request('post', CONFIGS)
      .send(aModelConfig({ max_retries: 0, ...fields }))
      .expect(201)
  ).body as Json;

export const readModel = async (hub: Pick<TestHub, 'request'>, id: unknown): Promise<Json> =>
  (await hub.request('get', `${CONFIGS}/${String(id)}`).expect(200)).body as Json;

/** Asks until the answer is there; fails with what it last saw. */
export const until = async <Value>(
  ask: () => Value | Promise<Value>,
  isRight: (value: Value) => boolean,
  milliseconds = 10_000,
): Promise<Value> => {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await ask();
    if (isRight(value)) return value;
    if (Date.now() > end) throw new Error(`Not so within ${milliseconds} ms; last seen: ${JSON.stringify(value)}`);
    await sleep(20);
  }
};

export interface UsageRow {
  source: string;
  outcome: string;
  calls: number;
  estimated: number;
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

const USAGE_OF = `SELECT source, outcome, sum(calls)::int AS calls, sum(estimated_calls)::int AS estimated,
  sum(input_tokens)::int AS input, sum(cached_tokens)::int AS cached, sum(output_tokens)::int AS output,
  sum(reasoning_tokens)::int AS reasoning
  FROM usage_minutes JOIN usage_series ON usage_series.id = series_id
  WHERE config_id = $1 AND usage_minutes.level = 5 GROUP BY source, outcome ORDER BY source, outcome`;

/** What was counted for a model, read from the database itself; level 5 has every kind of call. */
export const usageOf = (hub: Pick<TestHub, 'database'>, id: unknown): Promise<UsageRow[]> =>
  hub.database.query<UsageRow>(USAGE_OF, [id]);

export const callsIn = (rows: UsageRow[]): number => rows.reduce((sum, row) => sum + row.calls, 0);

/** The usage of a model once `calls` of its calls were counted. */
export const usageAfter = (hub: Pick<TestHub, 'database'>, id: unknown, calls: number): Promise<UsageRow[]> =>
  until(
    () => usageOf(hub, id),
    (rows) => callsIn(rows) >= calls,
  );

/**
 * The same without the second that the hub gathers calls before it sends them. Not where a call could be counted twice:
 * the second count may not be there yet.
 */
export const usageSoon = (
  hub: Pick<TestHub, 'database' | 'application'>,
  id: unknown,
  calls: number,
): Promise<UsageRow[]> =>
  until(
    async () => {
      await hub.application.nest.get(UsageBuffer).sendSoon(1000);
      return usageOf(hub, id);
    },
    (rows) => callsIn(rows) >= calls,
  );

export const elapsed = async <Value>(work: () => Promise<Value>): Promise<{ value: Value; milliseconds: number }> => {
  const start = performance.now();
  const value = await work();
  return { value, milliseconds: performance.now() - start };
};
