import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { saveModel, type Json } from './support/calls.js';
import { startHub, type TestHub } from './support/hub.js';
import { moveLabel, promptPath, PROMPTS, readPrompt, savePrompt, saveVersion } from './support/prompts.js';

type Query = Record<string, string | number | boolean | string[]>;

interface Page {
  prompts: Json[];
  total: number;
  skip: number;
  limit: number;
}

/** One row per letter, so that each filter picks another set. */
const ROWS: Json[] = [
  { name: 'a', category: 'support', language: 'zh-CN', priority: 5, tags: { team: 'search', env: 'prod' } },
  { name: 'b', category: 'support', language: 'en', tags: { team: 'search', env: 'test' }, display_name: 'zebra' },
  { name: 'c', category: 'writing', description: '100% sure', is_public: true, labels: { production: 1 } },
  { name: 'd', category: null, priority: 5, display_name: '客服助手', labels: { production: 1, staging: 1 } },
  { name: 'e', prompt_content: 'speaks of snake_case', tags: { url: 'http://x:1' }, labels: { staging: 1 } },
  { name: 'f', language: 'en', priority: -1, is_public: true, tags: { team: '' }, description: 'a\\b' },
];

describe('the list of prompts', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startHub();
    const saved = new Map<string, Json>();
    for (const row of ROWS) saved.set(String(row['name']), await savePrompt(hub, row));
    const [a, c, f] = ['a', 'c', 'f'].map((name) => saved.get(name) as Json) as [Json, Json, Json];
    // What an older version says is not what a prompt says.
    await saveVersion(hub, a, { prompt_content: 'mentions unicorns' });
    await saveVersion(hub, c, { prompt_content: 'mentioned unicorns' });
    await saveVersion(hub, c, { prompt_content: 'no more' });
    await moveLabel(hub, c, 'staging', 2);
    await hub.request('delete', promptPath(f)).expect(204);
    await saveModel(hub, { alias: 'team/fast', system_prompt_name: 'd' });
    await saveModel(hub, { alias: 'other', system_prompt_name: 'e', system_prompt_label: 'staging' });
    await hub.database.query(`UPDATE system_prompt_templates SET usage_count = ascii(name),
      last_used_at = now() - make_interval(mins => ascii(name)) WHERE name IN ('b', 'e')`);
  });
  afterAll(() => hub.close());

  const list = async (query: Query = {}): Promise<Page> =>
    (await hub.request('get', PROMPTS).query(query).expect(200)).body as Page;
  const names = async (query: Query): Promise<string> => {
    const { prompts, total } = await list(query);
    expect(total).toBe(prompts.length);
    return prompts.map((prompt) => String(prompt['name'])).join('');
  };

  it('has each prompt as it is by itself, but for its text, with total, skip and limit', async () => {
    const page = await list();
    expect(page).toMatchObject({ total: ROWS.length, skip: 0, limit: 100 });
    for (const prompt of page.prompts) {
      const whole = await readPrompt(hub, prompt);
      const { prompt_content, syntax, variables, example_variables, content_sha256, ...summary } = whole;
      expect(prompt).toEqual(summary);
      expect([prompt_content, syntax, variables, example_variables, content_sha256]).not.toContain(undefined);
    }
  });

  it.each<[Query, string]>([
    [{ category: 'support' }, 'ab'],
    [{ category: 'Support' }, ''],
    [{ language: 'en' }, 'bf'],
    [{ language: 'zh-CN' }, 'acde'],
    [{ is_public: true }, 'cf'],
    [{ is_public: false }, 'abde'],
    [{ is_active: true }, 'abcde'],
    [{ is_active: false }, 'f'],
    [{ active_only: true }, 'abcde'],
    [{ active_only: false }, 'abcdef'],
    [{ active_only: true, is_active: false }, ''],
    [{ tag: 'team:search' }, 'ab'],
    [{ tag: 'team:' }, 'f'],
    [{ tag: 'url:http://x:1' }, 'e'],
    [{ tag: ['team:search', 'env:prod'] }, 'a'],
    [{ tag: ['env:prod', 'env:test'] }, ''],
    [{ label: 'production' }, 'cd'],
    [{ label: 'staging' }, 'cde'],
    [{ label: 'nowhere' }, ''],
    [{ label: 'latest' }, 'abcdef'],
    [{ model_alias: 'team/fast' }, 'd'],
    [{ model_alias: 'other' }, 'e'],
    [{ model_alias: 'none' }, ''],
    [{ q: 'ZEBRA' }, 'b'],
    [{ q: '客服' }, 'd'],
    [{ q: '100%' }, 'c'],
    [{ q: '%' }, 'c'],
    [{ q: '_' }, 'e'],
    [{ q: 'snake_case' }, 'e'],
    [{ q: '\\' }, 'f'],
    [{ q: 'unicorns' }, 'a'],
    [{ q: "' OR 1=1 --" }, ''],
    [{ q: 'unicorns', category: 'support', tag: 'team:search', language: 'zh-CN', active_only: true }, 'a'],
    [{ q: 'unicorns', category: 'writing' }, ''],
  ])('%j finds %s', async (query, expected) => {
    expect(await names({ ...query, sort: 'name' })).toBe(expected);
  });

  it.each<[string | undefined, string]>([
    [undefined, 'adbcef'],
    ['-priority,name', 'adbcef'],
    ['priority,-name', 'fecbda'],
    ['-latest_version,name', 'cabdef'],
    ['-usage_count,name', 'ebacdf'],
    ['-last_used_at,name', 'beacdf'],
    ['last_used_at,name', 'acdfeb'],
    ['category,name', 'defabc'],
    ['language,-name', 'fbedca'],
    ['created_at', 'abcdef'],
    ['-display_name', 'dbfeca'],
  ])('sorts by %s', async (sort, expected) => {
    const { prompts } = await list(sort === undefined ? {} : { sort });
    expect(prompts.map((prompt) => String(prompt['name'])).join('')).toBe(expected);
  });

  it('gives pages that together are the whole, each with the total of the filter', async () => {
    const seen: string[] = [];
    for (let skip = 0; skip < 8; skip += 2) {
      const page = await list({ skip, limit: 2, active_only: true, sort: 'category,priority' });
      expect(page).toMatchObject({ total: 5, skip, limit: 2 });
      seen.push(...page.prompts.map((prompt) => String(prompt['name'])));
    }
    expect(seen.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each<[string, Query]>([
    ['sort', { sort: 'prompt_content' }],
    ['sort', { sort: '' }],
    ['sort', { sort: 'name;drop table' }],
    ['tag', { tag: 'team' }],
    ['label', { label: 'A' }],
    ['label', { label: '3' }],
    ['active_only', { active_only: 'yes' }],
    ['is_public', { is_public: '1' }],
    ['skip', { skip: -1 }],
    ['limit', { limit: 0 }],
    ['limit', { limit: 1001 }],
    ['q', { q: '' }],
    ['nope', { nope: 1 }],
  ])('refuses a wrong %s by name: %j', async (field, query) => {
    const { body } = await hub.request('get', PROMPTS).query(query).expect(400);
    expect((body as { errors: { field: string }[] }).errors.map((problem) => problem.field)).toEqual([field]);
  });

  it('stays small and fast with a thousand prompts of some size', async () => {
    await hub.database
      .query(`INSERT INTO system_prompt_templates (name, display_name, category, created_by, updated_by, latest_version)
      SELECT 'bulk-' || n, 'Bulk ' || n, 'bulk', 'test', 'test', 1 FROM generate_series(1, 1000) AS n`);
    await hub.database
      .query(`INSERT INTO system_prompt_template_versions (template_id, version, prompt_content, content_sha256, created_by)
      SELECT id, 1, repeat(md5(name), 300) || ' number ' || name, repeat('0', 64), 'test'
      FROM system_prompt_templates WHERE category = 'bulk'`);
    const start = performance.now();
    const page = await hub.request('get', PROMPTS).query({ category: 'bulk', limit: 1000 }).expect(200);
    const found = await list({ q: 'number bulk-777' });
    expect(performance.now() - start).toBeLessThan(3000);
    expect((page.body as Page).total).toBe(1000);
    expect(Buffer.byteLength(page.text)).toBeLessThan(700_000);
    expect(found).toMatchObject({ total: 1, prompts: [{ name: 'bulk-777' }] });
  });
});
