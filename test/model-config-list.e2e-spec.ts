import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aModelConfig } from './factories/model-config.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

type Body = Record<string, unknown>;
type Query = Record<string, string | number | boolean | string[]>;

interface Page {
  models: Body[];
  total: number;
  skip: number;
  limit: number;
}

const ACTIVE = CONFIGS.replace(/configs$/, 'active');
const STATISTICS = CONFIGS.replace(/configs$/, 'statistics');

/** One row per letter, so that each filter picks another set. */
const ROWS: Body[] = [
  { alias: 'a', provider: 'openai', priority: 5, supports_images: true, tags: { team: 'search', env: 'prod' } },
  { alias: 'b', provider: 'openai', api_key: null, tags: { team: 'search', env: 'test' }, display_name: 'zebra' },
  { alias: 'c', provider: 'gemini', is_enabled: false, supports_files: true, description: '100% sure' },
  {
    alias: 'd',
    provider: 'gemini',
    priority: 5,
    supports_images: true,
    display_name: 'apple',
    model_name: 'snake_case',
  },
  { alias: 'e', provider: 'local', is_local: true, api_key: null, supports_audio: true, tags: { url: 'http://x:1' } },
  { alias: 'f', provider: 'local', is_local: true, priority: -1, supports_videos: true, tags: { team: '' } },
  { alias: 'g', provider: 'claude', priority: 9, supports_images: true, supports_audio: true, description: 'a\\b' },
];

describe('the list of model configurations', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startHub();
    for (const row of ROWS) await hub.request('post', CONFIGS).send(aModelConfig(row)).expect(201);
    await hub.database.query(`UPDATE ai_model_configs SET credential_error = 'rejected' WHERE alias = 'd'`);
    await hub.database.query(`UPDATE ai_model_configs SET last_used_at = now() - make_interval(mins => ascii(alias))
      WHERE alias IN ('b', 'e', 'g')`);
  });
  afterAll(() => hub.close());

  const list = async (query: Query = {}): Promise<Page> =>
    (await hub.request('get', CONFIGS).query(query).expect(200)).body as Page;
  const aliases = async (query: Query): Promise<string> => {
    const { models, total } = await list(query);
    expect(total).toBe(models.length);
    return models.map((model) => String(model['alias'])).join('');
  };

  it('has each config as it is by itself, with total, skip and limit', async () => {
    const page = await list();
    expect(page).toMatchObject({ total: ROWS.length, skip: 0, limit: 100 });
    for (const model of page.models) {
      const alone = await hub.request('get', `${CONFIGS}/${String(model['id'])}`).expect(200);
      expect(model).toEqual(alone.body);
    }
  });

  it.each<[Query, string]>([
    [{ provider: 'openai' }, 'ab'],
    [{ provider: 'huggingface' }, ''],
    [{ status: 'configured' }, 'aefg'],
    [{ status: 'needs_api_key' }, 'b'],
    [{ status: 'disabled' }, 'c'],
    [{ status: 'error' }, 'd'],
    [{ is_local: true }, 'ef'],
    [{ is_local: false }, 'abcdg'],
    [{ supports_images: true }, 'adg'],
    [{ supports_images: false }, 'bcef'],
    [{ supports_files: true }, 'c'],
    [{ supports_videos: true }, 'f'],
    [{ supports_audio: true }, 'eg'],
    [{ supports_audio: false }, 'abcdf'],
    [{ tag: 'team:search' }, 'ab'],
    [{ tag: 'team:' }, 'f'],
    [{ tag: 'url:http://x:1' }, 'e'],
    [{ tag: 'team:sear' }, ''],
    [{ tag: ['team:search', 'env:prod'] }, 'a'],
    [{ tag: ['env:test', 'team:search'] }, 'b'],
    [{ tag: ['env:test', 'env:prod'] }, ''],
    [{ q: 'ZEBRA' }, 'b'],
    [{ q: 'app' }, 'd'],
    [{ q: '%' }, 'c'],
    [{ q: '0%' }, 'c'],
    [{ q: '_' }, 'd'],
    [{ q: 'e_c' }, 'd'],
    [{ q: '\\' }, 'g'],
    [{ q: "'" }, ''],
    [{ q: 'real-model' }, 'abcefg'],
    [{ provider: 'openai', status: 'configured' }, 'a'],
    [{ supports_images: true, supports_audio: true }, 'g'],
    [{ supports_images: true, is_local: false, q: 'real', tag: 'team:search', provider: 'openai' }, 'a'],
    [{ provider: 'openai', is_local: true }, ''],
  ])('%j finds %s', async (query, expected) => {
    expect(await aliases({ ...query, sort: 'alias' })).toBe(expected);
  });

  it.each([
    [undefined, 'gadbcef'],
    ['alias', 'abcdefg'],
    ['-alias', 'gfedcba'],
    ['priority,alias', 'fbceadg'],
    ['-priority,-alias', 'gdaecbf'],
    // The enum's own order, oldest provider first.
    ['provider,alias', 'abcdgef'],
    ['-provider,alias', 'efgcdab'],
    // Not set sorts as lowest: first upwards, last downwards.
    ['last_used_at,alias', 'acdfgeb'],
    ['-last_used_at,alias', 'begacdf'],
    ['-display_name,alias', 'bdacefg'],
    ['status,alias', 'aefgbcd'],
    ['created_at', 'abcdefg'],
    ['-updated_at', 'gfedcba'],
    ['model_name,usage_count,error_count,-alias', 'gfecbad'],
  ])('sort=%s gives %s', async (sort, expected) => {
    expect(await aliases(sort === undefined ? {} : { sort })).toBe(expected);
  });

  it('pages through everything once, in a stable order even among equals', async () => {
    // All of them are equal to this sort.
    const sort = 'usage_count';
    const whole = (await list({ sort })).models.map((model) => model['id']);
    for (const limit of [1, 2, 3]) {
      const seen: unknown[] = [];
      for (let skip = 0; skip < ROWS.length; skip += limit) {
        const page = await list({ sort, skip, limit });
        expect(page).toMatchObject({ total: ROWS.length, skip, limit });
        expect(page.models.length).toBeLessThanOrEqual(limit);
        seen.push(...page.models.map((model) => model['id']));
      }
      expect(seen).toEqual(whole);
    }
  });

  it('counts what the filter matches, whatever the page', async () => {
    const page = await list({ supports_images: true, sort: 'alias', skip: 1, limit: 1 });
    expect(page).toMatchObject({ total: 3, skip: 1, limit: 1, models: [{ alias: 'd' }] });
    expect(await list({ skip: 100 })).toEqual({ models: [], total: ROWS.length, skip: 100, limit: 100 });
    expect(await list({ limit: 1000, skip: 1_000_000_000 })).toMatchObject({ models: [], total: ROWS.length });
  });

  it.each<[string, string]>([
    ['provider=OPENAI', 'provider'],
    ['provider=openai&provider=gemini', 'provider'],
    ['status=unknown', 'status'],
    ['is_local=1', 'is_local'],
    ['supports_images=yes', 'supports_images'],
    ['supports_files=', 'supports_files'],
    ['tag=team', 'tag'],
    ['tag=:x', 'tag'],
    [`tag=${'t:x&tag='.repeat(10)}t:x`, 'tag'],
    ['q=', 'q'],
    [`q=${'x'.repeat(201)}`, 'q'],
    ['q=a&q=b', 'q'],
    ['sort=id', 'sort'],
    ['sort=api_key', 'sort'],
    ['sort=', 'sort'],
    ['sort=alias;drop', 'sort'],
    ['sort=--alias', 'sort'],
    ['sort=alias,alias,alias,alias,alias,alias', 'sort'],
    ['skip=-1', 'skip'],
    ['skip=1.5', 'skip'],
    ['skip=a', 'skip'],
    ['skip=1000000001', 'skip'],
    ['skip=99999999999999999999', 'skip'],
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=1e2', 'limit'],
    ['limit=', 'limit'],
    ['page=2', 'page'],
    ['is_enabled=true', 'is_enabled'],
  ])('%s is refused, naming %s', async (query, field) => {
    const answer = await hub.request('get', `${CONFIGS}?${query}`).expect(400);
    expect(answer.body).toMatchObject({
      code: 'validation_failed',
      errors: expect.arrayContaining([expect.objectContaining({ field })]),
    });
  });

  it('/active has what can be called, by priority, then alias', async () => {
    const { body } = await hub.request('get', ACTIVE).expect(200);
    const { models } = body as Page;
    expect(models.map((model) => model['alias'])).toEqual(['g', 'a', 'e', 'f']);
    expect(body).toEqual({ models, total: 4 });
    expect(models).toEqual((await list({ status: 'configured' })).models);
  });

  it('/statistics counts models by provider and status, and has every total', async () => {
    const { body } = await hub.request('get', STATISTICS).expect(200);
    const none = { p50: null, p95: null, p99: null, mean: null };
    expect(body).toEqual({
      total_models: 7,
      active_models: 4,
      by_provider: { openai: 2, gemini: 2, local: 2, claude: 1 },
      by_status: { configured: 4, needs_api_key: 1, disabled: 1, error: 1 },
      usage_count: 0,
      error_count: 0,
      errors_by_class: {},
      tokens: { input: 0, cached: 0, output: 0, reasoning: 0 },
      estimated_calls: 0,
      unpriced_calls: 0,
      cost_usd: 0,
      latency_ms: none,
      first_byte_ms: none,
      from: null,
      to: null,
      interval: null,
      tz: 'UTC',
      group_by: null,
      series: null,
      groups_total: null,
      other: null,
    });
  });
});
