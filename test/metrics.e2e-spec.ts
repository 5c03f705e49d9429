import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CallMetrics } from '../src/ai-model/status/call-metrics.js';
import { MAX_NAMED_ALIASES } from '../src/ai-model/status/call-families.js';
import { aSnapshotModel } from './factories/snapshot-model.js';
import { aChat, call, openCall, saveModel, until, type Json } from './support/calls.js';
import { sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import {
  foreignLabels,
  HOSTILE_TEXTS,
  SAID,
  hasPromtool,
  promtoolOf,
  readMetrics,
  seriesOf,
  valueOf,
} from './support/metrics.js';

describe('the metrics', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    hub = await startHub();
    provider = await startFakeProvider();
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });
  const read = (): Promise<string> => readMetrics(hub);
  const lineOf = async (requestId: string): Promise<Json> => {
    const line = await until(
      () =>
        Promise.resolve(
          hub
            .logs()
            .split('\n')
            .find((text) => text.includes(requestId) && text.includes('"request"')),
        ),
      (text) => text !== undefined,
    );
    return JSON.parse(String(line)) as Json;
  };
  const model = (fields: Json = {}): Promise<Json> => saveModel(hub, { api_base: provider.url, ...fields });

  it('count calls, their tokens, their time and what they were refused for', async () => {
    const { alias } = await model({ alias: 'team/counted' });
    const before = valueOf(await read(), 'hub_error_answers_total', { code: 'model_not_found' }) || 0;
    for (const body of [aChat(alias), aChat(alias, { stream: true }), aChat('nobody')]) await call(hub, body);
    const page = await read();
    const labels = { alias: 'team/counted', provider: 'openai_compatible' };
    expect(valueOf(page, 'hub_calls_total', { ...labels, error_class: 'ok' })).toBe(2);
    expect(valueOf(page, 'gen_ai_client_operation_duration_seconds_count', labels)).toBe(2);
    expect(valueOf(page, 'gen_ai_client_operation_duration_seconds_bucket', { ...labels, le: '81.92' })).toBe(2);
    expect(valueOf(page, 'gen_ai_server_time_to_first_token_seconds_count', labels)).toBe(2);
    expect(valueOf(page, 'gen_ai_client_token_usage_count', { ...labels, token_type: 'output' })).toBe(2);
    expect(valueOf(page, 'hub_error_answers_total', { code: 'model_not_found' })).toBe(before + 1);
    expect(valueOf(page, 'hub_call_overhead_seconds_count')).toBeGreaterThanOrEqual(2);
    expect(valueOf(page, 'hub_build_info', { role: 'all' })).toBe(1);
    expect(valueOf(page, 'hub_directory_revision')).toBeGreaterThan(1e12);
    expect(valueOf(page, 'nodejs_heap_size_used_bytes')).toBeGreaterThan(0);
  });

  it('tell a fallback from a call of its own, and each failure by its class', async () => {
    const broken = await startFakeProvider();
    broken.answerWith((_call, response) => void response.writeHead(500).end('{}'));
    const { alias: second } = await model();
    const { alias: first } = await model({ api_base: broken.url, fallback_aliases: [second] });
    await call(hub, aChat(first));
    const page = await read();
    expect(valueOf(page, 'hub_calls_total', { alias: String(first), error_class: 'server' })).toBe(1);
    expect(valueOf(page, 'hub_call_fallbacks_total', { alias: String(second) })).toBe(1);
    expect(valueOf(page, 'hub_call_fallbacks_total', { alias: String(first) })).toBe(0);
    await broken.close();
  });

  it('are for tokens that may see usage', async () => {
    await hub.request('get', '/metrics', null).expect(401);
    await hub.request('get', '/metrics', await hub.createToken('invoke')).expect(403);
    const answer = await hub.request('get', '/metrics', await hub.createToken('usage:read')).expect(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  (hasPromtool ? it : it.skip)('pass promtool check metrics', async () => {
    expect(promtoolOf(await read())).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('stay bounded and valid with ten thousand aliases and hostile names', async () => {
    const metrics = hub.application.nest.get(CallMetrics);
    const hostile = ['a"b', 'a\\', 'a\nhub_calls_total{alias="forged"} 1', '漢字', 'x'.repeat(100)];
    for (let index = 0; index < 10_000; index += 1) {
      const alias = (hostile[index % 50] ?? 'alias') + index;
      metrics.add({
        model: aSnapshotModel({ alias }),
        tokenId: null,
        source: 'api',
        streamed: false,
        outcome: 'ok',
        attempts: 1,
        prompt: null,
        error: 'anything "at all"\n',
        usage: { inputTokens: index, cachedTokens: 0, outputTokens: 1, reasoningTokens: 0, estimated: false },
        firstByteMs: 1,
        totalMs: 2,
        overheadMs: 1,
        isFallback: false,
      });
    }
    const page = await read();
    expect(seriesOf(page).length).toBeLessThan(25_000);
    expect(page).not.toMatch(/^hub_calls_total\{alias="forged"/m);
    expect(valueOf(page, 'hub_metrics_folded_aliases')).toBeGreaterThan(9000);
    const sums = page.split('\n').filter((line) => line.startsWith('hub_calls_total{'));
    expect(sums.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)).toBeGreaterThanOrEqual(
      10_000,
    );
    expect(new Set(sums.map((line) => /alias="((?:[^"\\]|\\.)*)"/.exec(line)?.[1])).size).toBeLessThanOrEqual(
      MAX_NAMED_ALIASES + 1,
    );
    if (hasPromtool) expect(promtoolOf(page).status).toBe(0);
  });

  it('say nothing of what providers and callers said', async () => {
    const hostile = await startFakeProvider();
    const said: ((text: string, response: ServerResponse) => void)[] = [
      ...[400, 401, 404, 429, 500].map(
        (status) =>
          (text: string, response: ServerResponse): void =>
            sendJson(response, status, { error: { message: text, type: text, code: text, param: text } }),
      ),
      (text, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${text}`),
      (text, response) => void response.writeHead(502).end(text),
    ];
    const { alias } = await model({ api_base: hostile.url, model_name: SAID });
    for (const [index, text] of HOSTILE_TEXTS.entries()) {
      hostile.answerWith((_call, response) => said[index % said.length]?.(text, response));
      await call(hub, aChat(alias, { user: text, stream: index % said.length === 5 }));
      await call(hub, aChat(text));
      await call(hub, aChat(alias), { path: `/v1/${encodeURIComponent(text)}` });
      await call(hub, aChat(alias), { token: encodeURIComponent(text), headers: { 'x-hub-source': SAID } });
    }
    await hostile.close();
    const page = await read();
    expect(valueOf(page, 'hub_provider_attempts_total', { error_class: 'auth' })).toBeGreaterThan(0);
    expect(page).not.toContain(SAID);
    expect(page).not.toContain('hub_forged_total');
    expect(foreignLabels(page)).toEqual([]);
    if (hasPromtool) expect(promtoolOf(page).status).toBe(0);
  });

  describe('beside the access log', () => {
    it('one line tells of a call what an operator asks for, and nothing that was said', async () => {
      const { alias } = await model();
      const answer = await call(hub, aChat(alias, { messages: [{ role: 'user', content: 'unspeakable' }] }));
      const line = await lineOf(String(answer.headers['x-request-id']));
      expect(line).toMatchObject({
        path: '/v1/chat/completions',
        status: 200,
        token_id: expect.any(String),
        alias,
        model: alias,
        provider: 'openai_compatible',
        source: 'api',
        streamed: false,
        attempts: 1,
        outcome: 'ok',
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
        first_byte_ms: expect.any(Number),
        overhead_ms: expect.any(Number),
      });
      expect(hub.logs()).not.toContain('unspeakable');
    });

    it('a refused call says what was asked, and that nobody was asked for it', async () => {
      const answer = await call(hub, aChat('no-such-model'));
      expect(await lineOf(String(answer.headers['x-request-id']))).toMatchObject({
        status: 404,
        alias: 'no-such-model',
        model: null,
        attempts: 0,
        outcome: null,
      });
    });

    it('a caller who leaves is in it, too', async () => {
      provider.answerWith((_call, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n');
      });
      const { alias } = await model();
      const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
      const { headers } = await open.head;
      open.leave();
      expect(await lineOf(String(headers['x-request-id']))).toMatchObject({
        alias,
        model: alias,
        outcome: 'client_gone',
      });
    });
  });
});
