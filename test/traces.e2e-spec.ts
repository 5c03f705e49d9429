import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aChat, call, openCall, saveModel, type Answer, type CallOptions, type Json } from './support/calls.js';
import { startFakeCollector, type CollectedSpan, type FakeCollector } from './support/fake-collector.js';
import {
  chunk,
  DONE,
  politeScript,
  sendJson,
  startFakeProvider,
  usageChunk,
  type FakeProvider,
} from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { startCaller } from './support/scripted-storage.js';

const TEST_TIMEOUT = 20_000;

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** What a caller sends who traces himself. */
const aParent = (flags = '01'): { traceId: string; spanId: string; traceparent: string } => {
  const [traceId, spanId] = [hex(16), hex(8)];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
};

const only = (spans: readonly CollectedSpan[], name: string): CollectedSpan => {
  const found = spans.filter((span) => span.name === name);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} spans ${name} in ${JSON.stringify(spans)}`);
  return found[0];
};

describe('traces of a storage service and an AI model service', () => {
  const keyOfCollector = `collector-${hex(16)}`;
  let collector: FakeCollector;
  let provider: FakeProvider;
  let storage: TestHub;
  let caller: TestHub;

  const tracing = (service: string): Record<string, string> => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/base/`,
    OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${keyOfCollector}`,
    OTEL_SERVICE_NAME: service,
  });
  const model = (fields: Json = {}): Promise<Json> => saveModel(storage, { api_base: provider.url, ...fields });
  const chat = (alias: unknown, options: CallOptions = {}, fields: Json = {}): Promise<Answer> =>
    call(caller, aChat(alias, fields), options);
  /** A call that is known to be possible. */
  const known = async (fields: Json = {}): Promise<string> => {
    const alias = String((await model(fields))['alias']);
    expect((await chat(alias, { headers: { traceparent: aParent('00').traceparent } })).status).toBe(200);
    return alias;
  };

  beforeAll(async () => {
    [collector, provider] = await Promise.all([startFakeCollector(), startFakeProvider()]);
    storage = await startHub({ env: { SERVICE_ROLE: 'storage', ...tracing('the-storage') } });
    caller = await startCaller(storage, storage.url, tracing('the-caller'));
  });
  afterAll(async () => {
    await caller?.stop();
    await storage?.close();
    await Promise.all([provider.close(), collector.close()]);
  });

  it(
    'tell of a call and its attempt in the trace of the caller, and nothing to the provider',
    async () => {
      const alias = await known({ model_name: 'traced-model' });
      const { traceId, spanId, traceparent } = aParent();
      const { status } = await chat(alias, { headers: { traceparent, tracestate: 'vendor=value' } });
      expect(status).toBe(200);
      const spans = await collector.trace(traceId, 2);
      expect(spans).toHaveLength(2);
      const whole = only(spans, `chat ${alias}`);
      expect(whole).toMatchObject({
        service: 'the-caller',
        kind: 'server',
        parentSpanId: spanId,
        traceState: 'vendor=value',
        isError: false,
        fields: {
          'http.request.method': 'POST',
          'http.route': '/v1/chat/completions',
          'http.response.status_code': 200,
          'gen_ai.operation.name': 'chat',
          'gen_ai.request.model': alias,
          'gen_ai.request.stream': false,
          'gen_ai.provider.name': 'openai_compatible',
          'gen_ai.response.model': 'traced-model',
          'gen_ai.usage.input_tokens': 11,
          'gen_ai.usage.output_tokens': 7,
          'hub.attempts': 1,
          'hub.model': alias,
          'hub.source': 'api',
          'hub.token.id': expect.any(String),
        },
      });
      expect(whole.fields).not.toHaveProperty(['error.type']);
      const attempt = only(spans, 'chat traced-model');
      expect(attempt).toMatchObject({
        service: 'the-caller',
        kind: 'client',
        parentSpanId: whole.spanId,
        isError: false,
        fields: { 'gen_ai.request.model': 'traced-model', 'server.address': '127.0.0.1', 'hub.attempt': 1 },
      });
      expect(attempt.startedAt).toBeGreaterThanOrEqual(whole.startedAt - 1);
      expect(attempt.endedAt).toBeLessThanOrEqual(whole.endedAt + 1);
      const received = provider.calls.filter(({ body }) => body['model'] === 'traced-model');
      expect(received).toHaveLength(2);
      for (const { headers } of received) {
        expect(Object.keys(headers).filter((name) => name.startsWith('trace'))).toEqual([]);
      }
      expect(caller.logs()).toContain(`"trace_id":"${traceId}"`);
      expect(collector.exports[0]).toMatchObject({
        path: '/base/v1/traces',
        headers: { 'content-type': 'application/json', 'x-collector-key': keyOfCollector },
      });
    },
    TEST_TIMEOUT,
  );

  it(
    'go on across the wall: what is looked up for a call, and what is managed for somebody',
    async () => {
      const lookup = aParent();
      const managed = aParent();
      const unknown = await chat('nobody-knows', { headers: { traceparent: lookup.traceparent } });
      expect([unknown.status, unknown.error['code']]).toEqual([404, 'model_not_found']);
      await caller
        .request('get', '/api/v1/models/management/list')
        .set('traceparent', managed.traceparent)
        .set('tracestate', 'a=1,b=2')
        .expect(200);

      const looked = await collector.trace(lookup.traceId, 3);
      const refused = only(looked, 'POST /v1/chat/completions');
      expect(refused).toMatchObject({
        service: 'the-caller',
        parentSpanId: lookup.spanId,
        isError: false,
        fields: { 'http.response.status_code': 404, 'error.type': 'model_not_found' },
      });
      const asked = only(looked, 'GET storage');
      expect(asked).toMatchObject({ service: 'the-caller', kind: 'client', parentSpanId: refused.spanId });
      expect(only(looked, 'GET /internal/v1/snapshot')).toMatchObject({
        service: 'the-storage',
        kind: 'server',
        parentSpanId: asked.spanId,
      });

      const listed = await collector.trace(managed.traceId, 3);
      const list = only(listed, 'GET /api/v1/models/management/list');
      const sent = only(listed, 'GET storage');
      expect(list).toMatchObject({ service: 'the-caller', kind: 'server', parentSpanId: managed.spanId });
      expect(sent).toMatchObject({
        parentSpanId: list.spanId,
        fields: {
          'server.address': '127.0.0.1',
          'server.port': Number(new URL(storage.url).port),
          'http.response.status_code': 200,
        },
      });
      expect(only(listed, 'GET /api/v1/ai-models/configs')).toMatchObject({
        service: 'the-storage',
        kind: 'server',
        parentSpanId: sent.spanId,
        traceState: 'a=1,b=2',
        fields: { 'http.route': '/api/v1/ai-models/configs', 'http.response.status_code': 200 },
      });
    },
    TEST_TIMEOUT,
  );

  it(
    'show every attempt: a model that fails twice, and the one in its place',
    async () => {
      const second = await known({ model_name: 'second-model' });
      const first = await known({ model_name: 'first-model', fallback_aliases: [second], max_retries: 1 });
      provider.answerWith(({ body }, response) =>
        body['model'] === 'first-model'
          ? sendJson(response, 500, { error: { message: 'words-of-the-provider' } })
          : sendJson(response, 200, { object: 'chat.completion', choices: [], model: 'words-of-the-provider' }),
      );
      const { traceId, traceparent } = aParent();
      const { status } = await chat(first, { headers: { traceparent } });
      expect(status).toBe(200);
      const spans = await collector.trace(traceId, 4);
      const failed = spans.filter(({ name }) => name === 'chat first-model');
      expect(failed.map(({ isError, fields }) => [isError, fields['error.type'], fields['hub.attempt']])).toEqual([
        [true, 'server', 1],
        [true, 'server', 2],
      ]);
      expect(failed.map(({ fields }) => fields['http.response.status_code'])).toEqual([500, 500]);
      expect(only(spans, 'chat second-model')).toMatchObject({ isError: false, fields: { 'hub.model': second } });
      const whole = only(spans, `chat ${first}`);
      expect(whole).toMatchObject({
        isError: false,
        fields: { 'hub.attempts': 3, 'hub.model': second, 'gen_ai.request.model': first },
      });
      expect(new Set(spans.filter(({ kind }) => kind === 'client').map(({ parentSpanId }) => parentSpanId))).toEqual(
        new Set([whole.spanId]),
      );
    },
    TEST_TIMEOUT,
  );

  it(
    'end with the stream, and say how it ended',
    async () => {
      const alias = await known({ model_name: 'streaming-model' });
      let goOn = (): void => undefined;
      provider.answerWith(async (_call, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(chunk('Hel'));
        await new Promise<void>((resolve) => (goOn = resolve));
        response.end(chunk('lo', 'stop') + usageChunk() + DONE);
      });
      const { traceId, traceparent } = aParent();
      const stream = openCall(caller.url, caller.adminToken, aChat(alias, { stream: true }), {
        headers: { traceparent },
      });
      await stream.head;
      const openUntil = Date.now() + 300;
      await sleep(300);
      goOn();
      await stream.done;

      const gone = aParent();
      const leaving = openCall(caller.url, caller.adminToken, aChat(alias, { stream: true }), {
        headers: { traceparent: gone.traceparent },
      });
      await leaving.head;
      leaving.leave();
      await leaving.done.catch(() => undefined);

      const spans = await collector.trace(traceId, 2);
      for (const span of spans) expect(span.endedAt).toBeGreaterThanOrEqual(openUntil);
      expect(only(spans, `chat ${alias}`)).toMatchObject({
        isError: false,
        fields: { 'gen_ai.request.stream': true, 'gen_ai.usage.output_tokens': 7 },
      });
      const left = await collector.trace(gone.traceId, 2);
      for (const span of left) {
        expect(span).toMatchObject({ isError: true, fields: { 'error.type': 'client_gone' } });
      }
    },
    TEST_TIMEOUT,
  );

  it(
    'begin anew where a traceparent is malformed, obey one that is not sampled, and leave out a state that is too long',
    async () => {
      provider.answerWith((_call, response) => sendJson(response, 200, { object: 'chat.completion', choices: [] }));
      const alias = await known();
      const { traceId } = aParent();
      const silent = aParent('00');
      const long = aParent();
      const before = new Set(collector.spans().map((span) => span.traceId));
      for (const malformed of [`00-${traceId}-zz-01`, `ff-${traceId}-${hex(8)}-01`, 'x'.repeat(2000)]) {
        expect((await chat(alias, { headers: { traceparent: malformed } })).status).toBe(200);
      }
      await chat(alias, { headers: { traceparent: silent.traceparent } });
      await chat(alias, { headers: { traceparent: long.traceparent, tracestate: `a=${'x'.repeat(600)}` } });
      // The last of them is there: so are those before it.
      const [whole] = await collector.trace(long.traceId, 2);
      expect(whole?.traceState ?? '').toBe('');
      const fresh = collector.spans().filter((span) => !before.has(span.traceId) && span.name === `chat ${alias}`);
      expect(fresh.map((span) => span.traceId)).not.toContain(traceId);
      expect(fresh.filter((span) => !span.parentSpanId)).toHaveLength(3);
      expect(collector.spans().filter((span) => span.traceId === silent.traceId)).toEqual([]);
    },
    TEST_TIMEOUT,
  );

  it(
    'show a test of a connection as a request with an attempt in it',
    async () => {
      provider.answerWith(politeScript);
      const { id } = await model({ model_name: 'tested-model' });
      const { traceId, traceparent } = aParent();
      await caller
        .request('post', `${CONFIGS}/${String(id)}/test`)
        .set('traceparent', traceparent)
        .expect(200);
      const spans = await collector.trace(traceId, 4);
      const test = only(spans, `POST ${CONFIGS}/:id/test`);
      expect(test).toMatchObject({ service: 'the-caller', kind: 'server', isError: false });
      expect(only(spans, 'chat tested-model')).toMatchObject({ kind: 'client', parentSpanId: test.spanId });
      // Of what it is stored as; that its result is counted is the process's own affair.
      expect(only(spans, 'GET /internal/v1/snapshot').service).toBe('the-storage');
      expect(spans).toHaveLength(4);
    },
    TEST_TIMEOUT,
  );

  it('have none for what the services do by themselves', () => {
    const spans = collector.spans();
    const ids = new Set(spans.map((span) => span.spanId));
    const inside = spans.filter(({ name }) => name.includes('/internal/'));
    expect(inside.length).toBeGreaterThan(0);
    for (const span of inside) expect(ids.has(span.parentSpanId ?? '')).toBe(true);
    expect(spans.filter(({ name }) => /health|metrics|usage|instances|changes/.test(name))).toEqual([]);
  });

  it(
    'never hold a secret, what was said, or the words of a provider',
    async () => {
      const secrets = {
        key: `sk-${hex(20)}`,
        said: `said-${hex(16)}`,
        told: `told-${hex(16)}`,
        path: `path-${hex(16)}`,
      };
      const alias = String((await model({ api_key: secrets.key, model_name: 'canary' }))['alias']);
      const answers = [
        () => ({ status: 200, body: { object: 'chat.completion', model: secrets.told, choices: [] } }),
        () => ({ status: 400, body: { error: { message: `${secrets.told} ${secrets.key}`, code: secrets.told } } }),
        () => ({ status: 401, body: { error: { message: secrets.key, type: secrets.told } } }),
      ];
      const { traceparent, traceId } = aParent();
      for (const answer of answers) {
        const { status, body } = answer();
        provider.answerWith((_call, response) => sendJson(response, status, body));
        await chat(alias, { headers: { traceparent } }, { messages: [{ role: 'user', content: secrets.said }] });
      }
      // A key in the wrong place, as a model's name and in a path.
      await chat(secrets.key, { headers: { traceparent } });
      await caller.request('get', `/v1/models/${secrets.path}`).set('traceparent', traceparent).expect(404);
      const byAlias = `/api/v1/ai-models/configs/by-alias/${secrets.path}?x=${secrets.said}`;
      await storage.request('get', byAlias).set('traceparent', traceparent).expect(404);
      await caller.request('get', `/no/such/${secrets.path}`).set('traceparent', traceparent).expect(404);
      // Three calls, an attempt each; two lookups in storage, each asked and answered; and the last two.
      await collector.trace(traceId, 3 * 2 + 2 * 3 + 2);
      const everything = collector.exports.map(({ raw }) => raw).join('\n') + caller.logs() + storage.logs();
      const traces = collector.exports.map(({ raw }) => raw).join('\n');
      const tokens = [caller.adminToken, caller.serviceToken];
      for (const secret of [secrets.key, secrets.said, keyOfCollector, ...tokens]) {
        expect(everything).not.toContain(secret);
      }
      for (const words of [secrets.told, secrets.path, 'words-of-the-provider']) expect(traces).not.toContain(words);
      for (const span of collector.spans()) expect(span.statusMessage ?? '').toBe('');
      // The look would have found them.
      expect(traces).toContain(alias);
    },
    TEST_TIMEOUT,
  );
});
