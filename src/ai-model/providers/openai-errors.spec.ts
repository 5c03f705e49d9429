import { describe, expect, it } from '@jest/globals';
import { PRESETS } from '../../contract/presets.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { baseRespOf, retryAfterOf, toProviderError } from './openai-errors.js';
import { quirksOf } from './quirks-of.js';

const classOf = (status: number, body: unknown, own = {}): string =>
  toProviderError(status, body, {}, [], own).errorClass;
const error = (fields: object): object => ({ error: { message: 'no', ...fields } });

describe('what a failure means', () => {
  it.each([
    ['content_filter by OpenAI', 400, error({ code: 'content_filter' }), 'content_filter'],
    ['content_policy_violation', 400, error({ code: 'content_policy_violation' }), 'content_filter'],
    [
      'Azure inside the error',
      400,
      error({ code: 'x', innererror: { code: 'ResponsibleAIPolicyViolation' } }),
      'content_filter',
    ],
    ['Azure without such a deployment', 404, error({ code: 'DeploymentNotFound' }), 'not_found'],
    ["Azure's gateway, flat", 401, { statusCode: 401, message: 'Access denied' }, 'auth'],
    [
      "OpenRouter's moderation, for 403",
      403,
      error({ code: 403, metadata: { reasons: ['hate'], flagged_input: 'x' } }),
      'content_filter',
    ],
    ["OpenRouter's key, for 403", 403, error({ code: 403, metadata: {} }), 'auth'],
    ['OpenRouter without credits', 402, error({ code: 402 }), 'quota'],
    [
      'xAI with a wrong key, for 400',
      400,
      { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: ab***yz.' },
      'auth',
    ],
    [
      'xAI with a wrong request',
      400,
      { code: 'Client specified an invalid argument', error: 'Argument not supported: stop' },
      'bad_request',
    ],
    ["Groq's capacity", 498, error({}), 'overloaded'],
    ['llama.cpp, too long', 400, error({ type: 'exceed_context_size_error', code: 400 }), 'context_too_long'],
    [
      'llama.cpp, loading',
      503,
      error({ message: 'Loading model', type: 'unavailable_error', code: 503 }),
      'overloaded',
    ],
    [
      'vLLM, flat and too long',
      400,
      { object: 'error', message: 'maximum context length is 8', code: 400 },
      'context_too_long',
    ],
    ['nothing that can be read', 500, '', 'server'],
  ])('%s', (_name, status, body, expected) => {
    expect(classOf(status, body)).toBe(expected);
  });

  it.each([
    ['moonshot', 429, { type: 'exceeded_current_quota_error' }, 'quota'],
    ['moonshot', 429, { type: 'engine_overloaded_error' }, 'overloaded'],
    ['moonshot', 429, { type: 'rate_limit_reached_error' }, 'rate_limit'],
    ['moonshot', 400, { type: 'content_filter' }, 'content_filter'],
    ['zhipu', 429, { code: '1113' }, 'quota'],
    ['zhipu', 429, { code: '1302' }, 'rate_limit'],
    ['zhipu', 400, { code: '1301' }, 'content_filter'],
    ['zhipu', 400, { code: '1261' }, 'context_too_long'],
    ['qwen', 400, { code: 'data_inspection_failed' }, 'content_filter'],
    ['qwen', 400, { code: 'Arrearage' }, 'quota'],
    ['doubao', 403, { code: 'AccountOverdueError' }, 'quota'],
    ['doubao', 400, { code: 'SensitiveContentDetected.SevereViolation' }, 'content_filter'],
    ['doubao', 429, { code: 'ServerOverloaded' }, 'overloaded'],
    ['stepfun', 451, { type: 'censorship_blocked' }, 'content_filter'],
    ['deepseek', 402, {}, 'quota'],
  ])('%s %d %j: its own codes', (id, status, fields, expected) => {
    const preset = PRESETS.find((known) => known.id === id);
    const { errors } = quirksOf({ ...preset, model_name: 'm', api_version: null } as unknown as SnapshotModel);
    expect(classOf(status, error(fields), errors)).toBe(expected);
  });

  it('of MiniMax stand in an answer that has a good status', () => {
    const errors = quirksOf({
      provider: 'openai_compatible',
      model_name: 'm',
      api_base: 'https://api.minimaxi.com/v1',
    } as SnapshotModel).errors;
    const failure = baseRespOf({ choices: null, base_resp: { status_code: 1008, status_msg: 'insufficient balance' } });
    expect(failure).toEqual({ error: { code: '1008', message: 'insufficient balance' } });
    expect(classOf(500, failure, errors)).toBe('quota');
    expect(classOf(500, baseRespOf({ base_resp: { status_code: 1013 } }), errors)).toBe('server');
    for (const fine of [{ base_resp: { status_code: 0, status_msg: '' } }, {}, null, 'x']) {
      expect(baseRespOf(fine)).toBeNull();
    }
  });

  it('of one provider says nothing of another', () => {
    expect(classOf(400, error({ code: '1301' }))).toBe('bad_request');
  });

  it('reads a flat body with a code, as SiliconFlow sends it', () => {
    expect(classOf(403, { code: 30001, message: 'no balance', data: null }, { '30001': 'quota' })).toBe('quota');
  });

  it("tells which of Azure's filters refused", () => {
    const hate = { hate: { filtered: true, severity: 'high' }, violence: { filtered: false } };
    const body = error({ code: 'content_filter', innererror: { content_filter_result: hate } });
    expect(toProviderError(400, body, {}, []).details.message).toBe('no (filtered: hate)');
  });

  it('never holds a secret, wherever the provider repeats it', () => {
    const key = 'sk-secret-0123456789';
    const body = error({ message: `bad ${key}`, type: key, param: `x.${key}`, code: key });
    expect(JSON.stringify(toProviderError(400, body, {}, [key]).details)).not.toContain('0123456789');
  });
});

describe('how long to wait', () => {
  it.each([
    [{ 'retry-after-ms': '50', 'x-ms-retry-after-ms': '7', 'retry-after': '9' }, 50],
    [{ 'x-ms-retry-after-ms': '1500', 'retry-after': '9' }, 1500],
    [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after': ['2', '3'] }, 2000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:03 GMT' }, 2000],
    [{ 'retry-after': 'Wed, 31 Dec 1969 00:00:00 GMT' }, 0],
  ])('%j', (headers, expected) => {
    expect(retryAfterOf(headers, 1000)).toBe(expected);
  });

  it.each(['-5', 'soon', '', '1e3', '0x10', '99999999999', 'NaN'])('%j says nothing', (text) => {
    expect(retryAfterOf({ 'retry-after': text })).toBeUndefined();
  });
});
