import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { applyPatch } from 'diff';
import type { HistoryEntry, HistoryList } from '../src/contract/history.contract.js';
import type { Snapshot, SnapshotPrompt } from '../src/contract/snapshot.contract.js';
import { aModelConfig } from './factories/model-config.js';
import { saveModel, type Json } from './support/calls.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { aPrompt, moveLabel, promptPath, PROMPTS, readPrompt, savePrompt, saveVersion } from './support/prompts.js';

const NAME = { name: 'name', type: 'string', required: true };
const byName = (prompt: Json, rest = ''): string => `${PROMPTS}/by-name/${String(prompt['name'])}${rest}`;
const fieldsOf = (body: unknown): string[] =>
  ((body as { errors?: { field: string }[] }).errors ?? []).map(({ field }) => field);

const keyRing = randomKeyRing();
let hub: TestHub;
beforeAll(async () => {
  hub = await startHub({ env: { ENCRYPTION_KEYS: keyRing } });
});
afterAll(() => hub.close());

/** Another storage service on the same database. */
const startSibling = (): Promise<TestHub> =>
  startHub({
    database: hub.database,
    env: { ENCRYPTION_KEYS: keyRing, ADMIN_TOKEN: hub.adminToken, STORAGE_SERVICE_TOKEN: hub.serviceToken },
  });

const versionsOf = async (prompt: Json): Promise<Json[]> =>
  ((await hub.request('get', promptPath(prompt, '/versions')).expect(200)).body as { versions: Json[] }).versions;
const historyOf = async (prompt: Json): Promise<HistoryEntry[]> =>
  ((await hub.request('get', promptPath(prompt, '/history?limit=1000')).expect(200)).body as HistoryList).entries;
const changesOf = (entry: HistoryEntry | undefined): Record<string, unknown> =>
  Object.fromEntries((entry?.changes ?? []).map(({ field, from, to }) => [field, [from, to]]));

describe('a prompt', () => {
  it('is saved with its first version and its labels, and read by id and by name', async () => {
    const sent = aPrompt({
      name: 'customer-service.v2',
      display_name: '客服助手',
      description: 'Greets.',
      category: 'support',
      tags: { team: 'a' },
      is_public: true,
      priority: 3,
      prompt_content: '你好，{{客户名}}！',
      variables: [{ name: '客户名', type: 'string', default: '朋友' }],
      example_variables: { 客户名: '小明' },
      message: '第一版',
      labels: { production: 1, staging: 1 },
    });
    const answer = await hub.request('post', PROMPTS).send(sent).expect(201);
    const prompt = answer.body as Json;
    const { message, labels: _labels, variables: _variables, ...shown } = sent;
    expect(answer.headers['location']).toBe(promptPath(prompt));
    expect(answer.headers['etag']).toBe('"1"');
    expect(prompt).toMatchObject({
      ...shown,
      language: 'zh-CN',
      is_active: true,
      syntax: 'mustache-strict-1',
      latest_version: 1,
      labels: { production: 1, staging: 1 },
      version: 1,
      usage_count: 0,
      last_used_at: null,
      content_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      created_by: 'admin',
      updated_by: 'admin',
    });
    expect(prompt['variables']).toMatchObject([{ name: '客户名', type: 'string', default: '朋友', required: false }]);
    expect(await readPrompt(hub, prompt)).toEqual(prompt);
    expect((await hub.request('get', byName(prompt)).expect(200)).body).toEqual(prompt);
    const [first] = await versionsOf(prompt);
    expect(first).toMatchObject({ version: 1, message, base_version: null, origin: 'edit', created_by: 'admin' });
    expect(first).toMatchObject({ labels: ['production', 'staging'], content_sha256: prompt['content_sha256'] });
    expect(first).not.toHaveProperty('prompt_content');
  });

  it('takes a name that is free, of a form that can stand in an address', async () => {
    const prompt = await savePrompt(hub);
    const again = await hub
      .request('post', PROMPTS)
      .send(aPrompt({ name: prompt['name'] }))
      .expect(409);
    expect(again.body).toMatchObject({ code: 'prompt_name_taken', errors: [{ field: 'name' }] });
    for (const name of ['客服', 'A', '-a', 'a-', 'a b', 'a/b', '', 'x'.repeat(101), null, 7]) {
      const answer = await hub.request('post', PROMPTS).send(aPrompt({ name })).expect(400);
      expect({ name, fields: fieldsOf(answer.body) }).toEqual({ name, fields: ['name'] });
    }
    const renamed = await hub.request('put', promptPath(prompt)).send({ name: 'another-name' }).expect(422);
    expect(renamed.body).toMatchObject({ code: 'prompt_name_fixed', errors: [{ field: 'name' }] });
    await hub.request('put', promptPath(prompt)).send({ name: prompt['name'] }).expect(200);
  });

  it.each<[string, Json]>([
    ['display_name', { display_name: '' }],
    ['display_name', { display_name: 'x'.repeat(121) }],
    ['language', { language: 'zh_CN' }],
    ['category', { category: '' }],
    ['tags', { tags: { 'a:b': 'c' } }],
    ['tags', { tags: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`t${index}`, ''])) }],
    ['priority', { priority: 1.5 }],
    ['is_public', { is_public: 'yes' }],
    ['syntax', { syntax: 'jinja' }],
    ['prompt_content', { prompt_content: '' }],
    ['prompt_content', { prompt_content: 'x'.repeat(262_145) }],
    ['prompt_content', { prompt_content: '中'.repeat(87_382) }],
    ['variables', { variables: 'name' }],
    ['variables[0].type', { variables: [{ name: 'a', type: 'regex' }] }],
    ['variables[1].name', { variables: [NAME, { name: '1a', type: 'string' }] }],
    ['variables[0].pattern', { variables: [{ ...NAME, pattern: '.*' }] }],
    ['example_variables', { example_variables: { name: { a: 1 } } }],
    ['example_variables', { example_variables: { 'a b': '' } }],
    ['labels', { labels: { latest: 1 } }],
    ['labels', { labels: { '3': 1 } }],
    ['labels', { labels: { production: 2 } }],
    ['labels', { labels: ['production'] }],
    ['message', { message: 'x'.repeat(501) }],
    ['nope', { nope: 1 }],
  ])('is refused by name for a wrong %s', async (field, fields) => {
    const answer = await hub.request('post', PROMPTS).send(aPrompt(fields)).expect(400);
    expect(answer.body).toMatchObject({ code: 'validation_failed' });
    expect(fieldsOf(answer.body)).toContain(field);
  });

  it('is refused for a text that could never be rendered, with line, column and code of each error', async () => {
    const text = 'Hello {{name}}\n{{#list}}\n  {{ user.name }} {{{raw}}}';
    const { body } = await hub
      .request('post', PROMPTS)
      .send(aPrompt({ prompt_content: text }))
      .expect(422);
    expect(body).toMatchObject({ code: 'prompt_template_invalid', errors: expect.any(Array) });
    const errors = (body as { template_errors: Json[] }).template_errors;
    expect(errors.map(({ line, column, code }) => [line, column, code])).toEqual([
      [1, 7, 'undeclared_variable'],
      [2, 1, 'section_not_closed'],
      [2, 1, 'undeclared_variable'],
      [3, 3, 'unknown_syntax'],
      [3, 19, 'unknown_syntax'],
    ]);
    expect(new Set(fieldsOf(body))).toEqual(new Set(['prompt_content']));
    // Read plainly, the same text has nothing wrong with it.
    expect(await savePrompt(hub, { prompt_content: text, syntax: 'plain' })).toMatchObject({ prompt_content: text });
  });

  it('keeps absent fields, clears with null, and counts what changes', async () => {
    const prompt = await savePrompt(hub, { description: 'd', category: 'c', tags: { a: 'b' } });
    const same = await hub
      .request('put', promptPath(prompt))
      .send({ tags: { a: 'b' }, priority: 0 })
      .expect(200);
    expect(same.body).toEqual(prompt);
    const changed = await hub.request('put', promptPath(prompt)).send({ category: null, priority: 5 }).expect(200);
    const { updated_at } = changed.body as Json;
    expect(changed.body).toEqual({ ...prompt, category: null, priority: 5, version: 2, updated_at });
    expect(changed.headers['etag']).toBe('"2"');
    for (const field of ['display_name', 'tags', 'is_public', 'prompt_content', 'variables']) {
      const answer = await hub
        .request('put', promptPath(prompt))
        .send({ [field]: null })
        .expect(400);
      expect(fieldsOf(answer.body)).toEqual([field]);
    }
  });

  it('answers 304 for a known ETag, 412 for a stale one, 404 for what is not there', async () => {
    const prompt = await savePrompt(hub);
    const path = promptPath(prompt);
    await hub.request('get', path).set('if-none-match', '"1"').expect(304);
    await hub.request('put', path).set('if-match', '"1"').send({ priority: 1 }).expect(200);
    for (const stale of [
      hub.request('put', path).set('if-match', '"1"').send({ priority: 2 }),
      hub.request('delete', path).set('if-match', '"1"'),
    ]) {
      const answer = await stale.expect(412);
      expect(answer.body).toMatchObject({ code: 'precondition_failed' });
      expect(answer.headers['etag']).toBe('"2"');
    }
    await hub.request('get', path).set('if-none-match', '"1"').expect(200);
    // A moved label is a change of what this answer says.
    await moveLabel(hub, prompt, 'production', 1);
    await hub
      .request('get', path)
      .set('if-none-match', '"2"')
      .expect(200, /"labels":\{"production":1\}/);
    for (const missing of [`${PROMPTS}/${randomUUID()}`, `${PROMPTS}/by-name/none`, `${PROMPTS}/by-name/A%20b`]) {
      expect((await hub.request('get', missing).expect(404)).body).toMatchObject({ code: 'prompt_not_found' });
    }
    expect(fieldsOf((await hub.request('get', `${PROMPTS}/7`).expect(400)).body)).toEqual(['id']);
  });
});

describe('versions', () => {
  it('are added at the end, keep what is left out, and never change', async () => {
    const prompt = await savePrompt(hub, { prompt_content: 'Hi {{name}}', variables: [NAME] });
    const second = await saveVersion(hub, prompt, { prompt_content: 'Hello {{name}}', message: 'politer' });
    expect(second).toMatchObject({ version: 2, base_version: 1, origin: 'edit', message: 'politer', unchanged: false });
    expect(second['variables']).toMatchObject([NAME]);
    expect(await readPrompt(hub, prompt)).toMatchObject({
      prompt_content: 'Hello {{name}}',
      latest_version: 2,
      version: 2,
    });
    const { body } = await hub.request('get', promptPath(prompt, '/versions/1')).expect(200);
    expect(body).toMatchObject({ version: 1, prompt_content: 'Hi {{name}}' });
    for (const number of [3, 999_999_999]) {
      const missing = await hub.request('get', promptPath(prompt, `/versions/${number}`)).expect(404);
      expect(missing.body).toMatchObject({ code: 'version_not_found' });
    }
    await hub.request('get', promptPath(prompt, '/versions/0')).expect(400);
  });

  it('PUT with another text saves one too; the same content saves none', async () => {
    const prompt = await savePrompt(hub, { prompt_content: 'one' });
    const put = await hub
      .request('put', promptPath(prompt))
      .send({ prompt_content: 'two', priority: 4, base_version: 1, message: 'both at once' })
      .expect(200);
    expect(put.body).toMatchObject({ prompt_content: 'two', priority: 4, latest_version: 2, version: 2 });
    const same = await hub
      .request('post', promptPath(prompt, '/versions'))
      .send({ prompt_content: 'two', base_version: 2 });
    expect([same.status, same.body]).toMatchObject([200, { version: 2, unchanged: true, message: 'both at once' }]);
    await hub.request('put', promptPath(prompt)).send({ prompt_content: 'two' }).expect(200);
    expect((await readPrompt(hub, prompt))['version']).toBe(2);
    // Variables and examples are content as well.
    const declared = { prompt_content: 'two', variables: [{ name: 'a', type: 'string' }] };
    expect(await saveVersion(hub, prompt, declared)).toMatchObject({ version: 3 });
    expect(await saveVersion(hub, prompt, { prompt_content: 'two', example_variables: { a: 'b' } })).toMatchObject({
      version: 4,
    });
    const reordered = { name: 'a', default: null, required: false, type: 'string' };
    const equal = await hub
      .request('post', promptPath(prompt, '/versions'))
      .send({ ...declared, variables: [reordered] });
    expect([equal.status, (equal.body as Json)['unchanged']]).toEqual([200, true]);
  });

  it('two people save from the same base: one wins, the other is told what the first one changed', async () => {
    const prompt = await savePrompt(hub, { prompt_content: 'line one\nline two\n' });
    for (let round = 1; round <= 10; round += 1) {
      const save = (who: string): ReturnType<TestHub['request']> =>
        hub
          .request('post', promptPath(prompt, '/versions'))
          .send({ prompt_content: `line one\nround ${round} of ${who}\n`, base_version: round });
      const answers = await Promise.all(['a', 'b', 'c'].map(save));
      const winners = answers.filter(({ status }) => status === 201);
      expect([winners.length, answers.filter(({ status }) => status === 409).length]).toEqual([1, 2]);
      const [won] = winners.map(({ body }) => body as Json);
      expect(won).toMatchObject({ version: round + 1, base_version: round });
      for (const { body } of answers.filter(({ status }) => status === 409)) {
        expect(body).toMatchObject({
          code: 'prompt_base_stale',
          latest_version: round + 1,
          errors: [{ field: 'base_version' }],
          diff: { from: round, to: round + 1, unified: expect.stringContaining(`+round ${round} of`) },
        });
      }
      expect(await readPrompt(hub, prompt)).toMatchObject({ prompt_content: won?.['prompt_content'] });
    }
    expect((await versionsOf(prompt)).map(({ version }) => version)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    const stale = { prompt_content: 'late', base_version: 3 };
    expect((await hub.request('put', promptPath(prompt)).send(stale).expect(409)).body).toMatchObject({
      code: 'prompt_base_stale',
      latest_version: 11,
    });
    const future = await hub.request('post', promptPath(prompt, '/versions')).send({ ...stale, base_version: 99 });
    expect([future.status, (future.body as Json)['code']]).toEqual([404, 'version_not_found']);
  });

  it('many who save without a base lose nothing', async () => {
    const prompt = await savePrompt(hub);
    const texts = Array.from({ length: 30 }, (_, index) => `text ${index}`);
    await Promise.all(texts.map((prompt_content) => saveVersion(hub, prompt, { prompt_content })));
    const rows = await hub.database.query<{ version: number; prompt_content: string }>(
      'SELECT version, prompt_content FROM system_prompt_template_versions WHERE template_id = $1 ORDER BY version',
      [prompt['id']],
    );
    expect(rows.map(({ version }) => version)).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
    expect(new Set(rows.slice(1).map(({ prompt_content }) => prompt_content))).toEqual(new Set(texts));
  });

  /** TRUNCATE locks whole tables, and the hub is at work meanwhile: one of the two may have to give way. */
  const untilNoDeadlock = async (work: () => Promise<unknown>): Promise<unknown> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!String(error).includes('deadlock detected')) throw error;
      }
    }
  };

  it.each([
    [`UPDATE system_prompt_template_versions SET prompt_content = 'forged'`],
    [`UPDATE system_prompt_template_versions SET message = ''`],
    ['DELETE FROM system_prompt_template_versions'],
    ['TRUNCATE system_prompt_template_versions CASCADE'],
    ['DELETE FROM system_prompt_templates'],
  ])('cannot be changed by SQL: %s', async (statement) => {
    const prompt = await savePrompt(hub);
    const count =
      'SELECT count(*), md5(string_agg(prompt_content, $1 ORDER BY template_id, version)) FROM system_prompt_template_versions';
    const before = await hub.database.query(count, ['']);
    await expect(untilNoDeadlock(() => hub.database.query(statement))).rejects.toThrow(/append-only|foreign key/);
    expect(await hub.database.query(count, [''])).toEqual(before);
    expect(await readPrompt(hub, prompt)).toEqual(prompt);
  });

  it.each([
    [`VALUES ($1, 'production', 9, 'x')`, /fk_system_prompt_template_labels_version/],
    [`VALUES ($1, 'latest', 1, 'x')`, /ck_system_prompt_template_labels_label/],
    [`VALUES ($1, '3', 1, 'x')`, /ck_system_prompt_template_labels_label/],
    [`VALUES ($1, 'twice', 1, 'x'), ($1, 'twice', 1, 'x')`, /pk_system_prompt_template_labels/],
  ])('a label that must not be is refused by the database too: %s', async (values, constraint) => {
    const { id } = await savePrompt(hub);
    const insert = 'INSERT INTO system_prompt_template_labels (template_id, label, version, moved_by)';
    await expect(hub.database.query(`${insert} ${values}`, [id])).rejects.toThrow(constraint);
  });

  it('are compared: a unified diff of the text, the variables one by one', async () => {
    const texts = ['a\nb\nc\nd', 'a\nB\nc\nd\ne\n'];
    const prompt = await savePrompt(hub, {
      prompt_content: texts[0],
      variables: [NAME, { name: 'gone', type: 'integer' }],
      example_variables: { name: 'x' },
    });
    const next = {
      prompt_content: texts[1],
      variables: [
        { ...NAME, max_length: 9 },
        { name: '新', type: 'date' },
      ],
    };
    await saveVersion(hub, prompt, { ...next, example_variables: { name: 'y' } });
    const { body } = await hub.request('get', promptPath(prompt, '/diff?from=1&to=2')).expect(200);
    const { unified, variables, changes } = body as { unified: string; variables: Json[]; changes: Json[] };
    expect(applyPatch(texts[0] ?? '', unified)).toBe(texts[1]);
    expect(unified).toContain('-b\n+B\n');
    expect(variables).toMatchObject([
      { name: 'name', from: { max_length: null }, to: { max_length: 9 } },
      { name: 'gone', from: { type: 'integer' }, to: null },
      { name: '新', from: null, to: { type: 'date' } },
    ]);
    expect(changes).toEqual([{ field: 'example_variables', from: { name: 'x' }, to: { name: 'y' } }]);
    const same = await hub.request('get', promptPath(prompt, '/diff?from=2&to=2')).expect(200);
    expect(same.body).toEqual({ from: 2, to: 2, unified: '', variables: [], changes: [] });
    await hub.request('get', promptPath(prompt, '/diff?from=1&to=3')).expect(404, /version_not_found/);
    await hub.request('get', promptPath(prompt, '/diff?from=1')).expect(400);
  });

  it('two long texts with nothing in common are compared in good time, and to a diff that applies', async () => {
    const lines = (word: string): string => Array.from({ length: 20_000 }, (_, index) => `${word}${index}`).join('\n');
    const prompt = await savePrompt(hub, { prompt_content: lines('before ') });
    await saveVersion(hub, prompt, { prompt_content: lines('x') });
    const start = performance.now();
    const { body } = await hub.request('get', promptPath(prompt, '/diff?from=1&to=2')).expect(200);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(applyPatch(lines('before '), (body as { unified: string }).unified)).toBe(lines('x'));
  });

  it('an old one is restored as a new one', async () => {
    const prompt = await savePrompt(hub, {
      prompt_content: 'Hi {{name}}',
      variables: [NAME],
      example_variables: { name: 'x' },
    });
    await saveVersion(hub, prompt, { prompt_content: 'changed', variables: [], example_variables: {} });
    const restored = await hub
      .request('post', promptPath(prompt, '/versions/1/restore'))
      .send({ base_version: 2, message: 'back' })
      .expect(201);
    expect(restored.body).toMatchObject({
      version: 3,
      base_version: 1,
      origin: 'restore',
      message: 'back',
      prompt_content: 'Hi {{name}}',
      content_sha256: prompt['content_sha256'],
      example_variables: { name: 'x' },
    });
    expect(restored.headers['location']).toBe(promptPath(prompt, '/versions/3'));
    const again = await hub.request('post', promptPath(prompt, '/versions/1/restore')).expect(200);
    expect(again.body).toMatchObject({ version: 3, unchanged: true });
    const stale = { base_version: 1 };
    await hub
      .request('post', promptPath(prompt, '/versions/2/restore'))
      .send(stale)
      .expect(409, /prompt_base_stale/);
    await hub.request('post', promptPath(prompt, '/versions/9/restore')).expect(404, /version_not_found/);
  });

  it('a save that is repeated with its Idempotency-Key is carried out once', async () => {
    const prompt = await savePrompt(hub);
    const save = (): ReturnType<TestHub['request']> =>
      hub
        .request('post', promptPath(prompt, '/versions'))
        .set('idempotency-key', 'once-only')
        .send({ prompt_content: 'saved once', base_version: 1 });
    const [first, second] = [await save().expect(201), await save().expect(201)];
    expect(second.body).toEqual(first.body);
    expect(await versionsOf(prompt)).toHaveLength(2);
  });
});

describe('labels', () => {
  it('are moved, removed and listed, with who moved them and when', async () => {
    const prompt = await savePrompt(hub, { labels: { production: 1 } });
    await saveVersion(hub, prompt, { prompt_content: 'second' });
    const token = await hub.createToken('prompts:write', 'prompts:read');
    const path = promptPath(prompt, '/labels/production');
    const moved = await hub
      .request('put', path, token)
      .send({ version: 2, expected_version: 1, reason: '更好' })
      .expect(200);
    expect(moved.body).toMatchObject({ label: 'production', version: 2, is_protected: false });
    expect((moved.body as Json)['moved_by']).not.toBe('admin');
    await moveLabel(hub, prompt, 'canary', 1);
    const { body } = await hub.request('get', promptPath(prompt, '/labels')).expect(200);
    expect(body).toMatchObject({ latest_version: 2, labels: [{ label: 'canary', version: 1 }, moved.body] });
    await hub.request('delete', path).query({ expected_version: 2, reason: 'out' }).expect(204);
    expect(await readPrompt(hub, prompt)).toMatchObject({ labels: { canary: 1 } });
    await hub.request('delete', path).expect(404, /label_not_found/);
    const [removal, , move] = await historyOf(prompt);
    expect(removal).toMatchObject({ kind: 'prompt_label', action: 'remove', subject_name: prompt['name'] });
    expect(changesOf(removal)).toEqual({ label: [null, 'production'], version: [2, null], reason: [null, 'out'] });
    expect(move).toMatchObject({ kind: 'prompt_label', action: 'move', actor_name: 'test' });
    expect(changesOf(move)).toEqual({ label: [null, 'production'], version: [1, 2], reason: [null, '更好'] });
  });

  it('a move that is based on what is not so any more is refused', async () => {
    const prompt = await savePrompt(hub);
    await saveVersion(hub, prompt, { prompt_content: 'second' });
    const put = (body: Json): ReturnType<TestHub['request']> =>
      hub.request('put', promptPath(prompt, '/labels/x')).send(body);
    const early = await put({ version: 1, expected_version: 2 }).expect(409);
    expect(early.body).toMatchObject({ code: 'label_moved', current_version: null });
    await put({ version: 1, expected_version: null }).expect(200);
    const late = await put({ version: 2, expected_version: null }).expect(409);
    expect(late.body).toMatchObject({ code: 'label_moved', current_version: 1 });
    const removal = hub.request('delete', promptPath(prompt, '/labels/x')).query({ expected_version: 2 });
    await removal.expect(409, /label_moved/);
    const answers = await Promise.all([1, 2, 3, 4].map(() => put({ version: 2, expected_version: 1 })));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409, 409, 409]);
    expect(await readPrompt(hub, prompt)).toMatchObject({ labels: { x: 2 } });
  });

  it.each([
    ['latest', { version: 1 }, 400, 'validation_failed'],
    ['draft', { version: 1 }, 400, 'validation_failed'],
    ['3', { version: 1 }, 400, 'validation_failed'],
    ['Production', { version: 1 }, 400, 'validation_failed'],
    ['x'.repeat(37), { version: 1 }, 400, 'validation_failed'],
    ['x', { version: 0 }, 400, 'validation_failed'],
    ['x', {}, 400, 'validation_failed'],
    ['x', { version: 2 }, 404, 'version_not_found'],
  ])('%s at %j: %s %s', async (label, body, status, code) => {
    const prompt = await savePrompt(hub);
    const answer = await hub.request('put', promptPath(prompt, `/labels/${label}`)).send(body);
    expect([answer.status, (answer.body as Json)['code']]).toEqual([status, code]);
    expect(await readPrompt(hub, prompt)).toEqual(prompt);
  });

  it('may be called as what every object has', async () => {
    const prompt = await savePrompt(hub);
    await hub.request('get', byName(prompt, '/resolved?label=constructor')).expect(404, /label_not_found/);
    await moveLabel(hub, prompt, 'constructor', 1);
    await hub.request('get', byName(prompt, '/resolved?label=constructor')).expect(200, /"version":1/);
  });

  it('200 moves at once, through two processes: one holder at every moment that anybody reads, and at the end; each move is recorded', async () => {
    const prompt = await savePrompt(hub, { prompt_content: 'one', labels: { production: 1 } });
    await saveVersion(hub, prompt, { prompt_content: 'two' });
    await saveVersion(hub, prompt, { prompt_content: 'three' });
    const before = (await historyOf(prompt)).length;
    const sibling = await startSibling();
    const moving = new AbortController();
    const holders: string[] = [];
    const watch = async (read: () => Promise<string>): Promise<void> => {
      while (!moving.signal.aborted) {
        holders.push(await read());
        await sleep(20);
      }
    };
    const inDatabase = async (): Promise<string> => {
      const rows = await hub.database.query<{ count: string }>(
        `SELECT count(*) FROM system_prompt_template_labels WHERE template_id = $1 AND label = 'production'`,
        [prompt['id']],
      );
      return `${rows[0]?.count} row`;
    };
    const overRest = async (): Promise<string> => {
      const { status, body } = await hub.request('get', byName(prompt, '/resolved'));
      const { version, prompt_content } = body as { version: number; prompt_content: string };
      return `${status} ${['one', 'two', 'three'][version - 1] === prompt_content}`;
    };
    const inVersions = async (): Promise<string> =>
      `${(await versionsOf(prompt)).filter(({ labels }) => (labels as string[]).includes('production')).length} version`;
    const watchers = [watch(inDatabase), watch(overRest), watch(inVersions)];
    const moves = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        (index % 2 === 0 ? hub : sibling)
          .request('put', promptPath(prompt, '/labels/production'))
          .send({ version: (index % 3) + 1, reason: `move ${index}` }),
      ),
    );
    moving.abort();
    await Promise.all(watchers);
    await sibling.stop();
    expect(moves.map(({ status }) => status)).toEqual(Array.from({ length: 200 }, () => 200));
    expect(new Set(holders)).toEqual(new Set(['1 row', '200 true', '1 version']));
    expect(holders.length).toBeGreaterThan(20);
    const recorded = (await historyOf(prompt)).slice(0, -before).toReversed();
    // Each begins where the one before it ended; who found the label where he wanted it recorded nothing.
    let held: unknown = 1;
    for (const entry of recorded) {
      const [from, to] = changesOf(entry)['version'] as unknown[];
      expect(from).toBe(held);
      held = to;
    }
    expect(recorded.length).toBeGreaterThan(60);
    const after = await readPrompt(hub, prompt);
    expect(after).toMatchObject({ labels: { production: held }, version: 3 + recorded.length });
  });

  it('protected ones are moved by an admin alone', async () => {
    const list = `${PROMPTS}/protected-labels`;
    expect((await hub.request('get', list).expect(200)).body).toEqual({ labels: [] });
    const editor = await hub.createToken('prompts:write', 'prompts:read');
    const prompt = await savePrompt(hub, { labels: { guarded: 1 } });
    const path = promptPath(prompt, '/labels/guarded');
    await saveVersion(hub, prompt, { prompt_content: 'second' });
    await hub
      .request('put', list)
      .send({ labels: ['guarded', 'also'] })
      .expect(200, { labels: ['also', 'guarded'] });
    try {
      const created = aPrompt({ labels: { staging: 1, guarded: 1 } });
      for (const refused of [
        hub.request('put', path, editor).send({ version: 2 }),
        hub.request('delete', path, editor),
        hub.request('post', PROMPTS, editor).send(created),
      ]) {
        expect((await refused.expect(403)).body).toMatchObject({
          code: 'label_protected',
          detail: expect.stringContaining('guarded'),
        });
      }
      await hub.request('get', `${PROMPTS}/by-name/${String(created['name'])}`).expect(404);
      await hub.request('put', promptPath(prompt, '/labels/free'), editor).send({ version: 2 }).expect(200);
      const moved = await hub.request('put', path).send({ version: 2 }).expect(200);
      expect(moved.body).toMatchObject({ version: 2, is_protected: true });
      for (const labels of [['latest'], ['A'], 'guarded', undefined])
        await hub.request('put', list).send({ labels }).expect(400);
    } finally {
      await hub.request('put', list).send({ labels: [] }).expect(200, { labels: [] });
    }
    await hub.request('put', path, editor).send({ version: 1 }).expect(200);
    const history = await hub
      .request('get', '/api/v1/history?kind=prompt_label&subject_id=protected-labels')
      .expect(200);
    expect((history.body as HistoryList).entries.map(changesOf)).toEqual([
      { labels: [['also', 'guarded'], []] },
      { labels: [[], ['also', 'guarded']] },
    ]);
  });
});

describe('what a caller gets', () => {
  it('is the version of a label, of a number, of production; never another one', async () => {
    const prompt = await savePrompt(hub, { prompt_content: 'one' });
    const resolve = (query = ''): ReturnType<TestHub['request']> =>
      hub.request('get', byName(prompt, `/resolved${query}`));
    for (const query of ['', '?label=production', '?label=staging', '?label=draft']) {
      expect((await resolve(query).expect(404)).body).toMatchObject({ code: 'label_not_found' });
    }
    await saveVersion(hub, prompt, { prompt_content: 'two' });
    await saveVersion(hub, prompt, { prompt_content: 'three' });
    await moveLabel(hub, prompt, 'production', 1);
    await moveLabel(hub, prompt, 'staging', 2);
    for (const [query, by, label, version, text] of [
      ['', 'label', 'production', 1, 'one'],
      ['?label=production', 'label', 'production', 1, 'one'],
      ['?label=staging', 'label', 'staging', 2, 'two'],
      ['?label=latest', 'label', 'latest', 3, 'three'],
      ['?version=2', 'version', null, 2, 'two'],
    ] as const) {
      const { body } = await resolve(query).expect(200);
      expect(body).toMatchObject({ id: prompt['id'], resolved_by: by, label, version, prompt_content: text });
    }
    expect((await resolve('?version=4').expect(404)).body).toMatchObject({ code: 'version_not_found' });
    expect(fieldsOf((await resolve('?version=1&label=staging').expect(400)).body)).toEqual(['version']);
    for (const query of ['?version=0', '?version=x', '?label=A', '?nope=1']) await resolve(query).expect(400);
    // Version 3 and a label that looks like it are two things.
    await resolve('?label=3').expect(400);
    await hub.request('get', `${PROMPTS}/by-name/none/resolved`).expect(404, /prompt_not_found/);
  });

  it('is cheap to ask for again, and right after each move', async () => {
    const prompt = await savePrompt(hub, { prompt_content: 'one', labels: { production: 1 } });
    await saveVersion(hub, prompt, { prompt_content: 'two' });
    const path = byName(prompt, '/resolved');
    const first = await hub.request('get', path).expect(200);
    const etag = String(first.headers['etag']);
    expect(etag).toBe(`"1-${String(prompt['content_sha256'])}"`);
    expect(first.headers['cache-control']).toBe('no-cache');
    await hub.request('get', path).set('if-none-match', etag).expect(304);
    await moveLabel(hub, prompt, 'production', 2);
    await hub
      .request('get', path)
      .set('if-none-match', etag)
      .expect(200, /"version":2/);
    await hub.request('delete', promptPath(prompt, '/labels/production')).expect(204);
    await hub.request('get', path).set('if-none-match', etag).expect(404);
    const fixed = await hub.request('get', `${path}?version=1`).expect(200);
    expect(fixed.headers['cache-control']).toContain('immutable');
  });
});

describe('the archive', () => {
  it('takes a prompt out of use, keeps everything of it, and gives it back', async () => {
    const prompt = await savePrompt(hub, { labels: { production: 1 } });
    await hub.request('delete', promptPath(prompt)).expect(204);
    await hub.request('delete', promptPath(prompt)).expect(204);
    expect(await readPrompt(hub, prompt)).toMatchObject({ is_active: false, version: 2, labels: { production: 1 } });
    for (const query of ['', '?version=1', '?label=latest']) {
      await hub.request('get', byName(prompt, `/resolved${query}`)).expect(404, /prompt_archived/);
    }
    await hub
      .request('post', PROMPTS)
      .send(aPrompt({ name: prompt['name'] }))
      .expect(409, /prompt_name_taken/);
    const back = await hub.request('post', promptPath(prompt, '/unarchive')).expect(200);
    expect(back.body).toMatchObject({ is_active: true, version: 3, labels: { production: 1 } });
    await hub.request('get', byName(prompt, '/resolved')).expect(200);
    await hub.request('put', promptPath(prompt)).send({ is_active: false, priority: 9 }).expect(200);
    await hub.request('put', promptPath(prompt)).send({ is_active: true }).expect(200);
    const entries = await historyOf(prompt);
    expect(entries.map(({ kind, action, version }) => [kind, action, version])).toEqual([
      ['prompt', 'unarchive', 5],
      ['prompt', 'archive', 4],
      ['prompt', 'unarchive', 3],
      ['prompt', 'archive', 2],
      ['prompt_label', 'move', 1],
      ['prompt', 'create', 1],
    ]);
    expect(changesOf(entries[1])).toEqual({ is_active: [true, false], priority: [0, 9] });
  });
});

describe('the history', () => {
  it('tells every change of a prompt, without its texts', async () => {
    const prompt = await savePrompt(hub, { prompt_content: 'the first text' });
    await hub.request('put', promptPath(prompt)).send({ category: 'c' }).expect(200);
    await saveVersion(hub, prompt, { prompt_content: 'the second text' });
    await hub.request('post', promptPath(prompt, '/versions/1/restore')).expect(201);
    const entries = await historyOf(prompt);
    expect(entries.map(({ action, version }) => [action, version])).toEqual([
      ['restore', 4],
      ['add_version', 3],
      ['update', 2],
      ['create', 1],
    ]);
    expect(changesOf(entries[2])).toEqual({ category: [null, 'c'] });
    expect(changesOf(entries[0])).toMatchObject({
      latest_version: [2, 3],
      content_sha256: [expect.any(String), prompt['content_sha256']],
    });
    const rows = await hub.database.query<{ row: string }>(
      'SELECT change_history::text AS row FROM change_history WHERE subject_id = $1',
      [prompt['id']],
    );
    expect(rows).toHaveLength(4);
    for (const { row } of rows) expect(row).not.toContain('text');
    await hub.request('get', `${PROMPTS}/${randomUUID()}/history`).expect(404, /prompt_not_found/);
  });
});

describe('a template from before there were versions', () => {
  it('is shown without a text, and gets its first one like any other', async () => {
    const [old] = await hub.database.query<{ id: string }>(
      `INSERT INTO system_prompt_templates (name, display_name, created_by, updated_by)
       VALUES ('from-before', '旧的提示词', 'admin', 'admin') RETURNING id`,
    );
    const prompt = await readPrompt(hub, { ...old });
    expect(prompt).toMatchObject({ latest_version: 0, labels: {}, prompt_content: null, content_sha256: null });
    await hub.request('get', byName(prompt, '/resolved?label=latest')).expect(404, /label_not_found/);
    await hub.request('get', `${PROMPTS}?q=from-before`).expect(200, /"total":1/);
    await hub
      .request('put', promptPath(prompt))
      .send({ variables: [] })
      .expect(400, /prompt_content must be sent/);
    await hub.request('put', promptPath(prompt)).send({ category: 'old' }).expect(200);
    const first = await saveVersion(hub, prompt, { prompt_content: 'at last' });
    expect(first).toMatchObject({ version: 1, base_version: null });
    expect(await readPrompt(hub, prompt)).toMatchObject({ prompt_content: 'at last', version: 3 });
  });
});

describe('the snapshot', () => {
  it('carries the labelled versions and the newest of each prompt', async () => {
    const prompt = await savePrompt(hub, {
      prompt_content: 'v1',
      variables: [{ ...NAME, required: false }],
      labels: { a: 1 },
    });
    for (const version of [2, 3, 4, 5]) await saveVersion(hub, prompt, { prompt_content: `v${version}` });
    await moveLabel(hub, prompt, 'b', 3);
    await moveLabel(hub, prompt, 'c', 3);
    const read = async (): Promise<SnapshotPrompt | undefined> => {
      const { body } = await hub.request('get', '/internal/v1/snapshot', hub.serviceToken).expect(200);
      return (body as Snapshot).prompts.find(({ id }) => id === prompt['id']);
    };
    const carried = await read();
    expect(carried).toMatchObject({ name: prompt['name'], is_active: true, is_public: false, latest_version: 5 });
    expect(carried?.labels).toEqual({ a: 1, b: 3, c: 3 });
    const versions = (carried?.versions ?? []).toSorted((a, b) => a.version - b.version);
    expect(versions.map((one) => [one.version, one.prompt_content, one.syntax])).toEqual(
      [1, 3, 5].map((version) => [version, `v${version}`, 'mustache-strict-1']),
    );
    expect(versions[0]?.variables).toMatchObject([{ name: 'name', type: 'string' }]);
    const path = `/internal/v1/prompts/${String(prompt['name'])}/versions`;
    const { body } = await hub.request('get', `${path}/2`, hub.serviceToken).expect(200);
    expect(body).toMatchObject({
      version: 2,
      prompt_content: 'v2',
      content_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await hub.request('get', `${path}/6`, hub.serviceToken).expect(404, /version_not_found/);
    await hub.request('delete', promptPath(prompt)).expect(204);
    expect(await read()).toMatchObject({ is_active: false });
  });
});

describe('rendering without a call', () => {
  const render = (prompt: Json, body: Json): ReturnType<TestHub['request']> =>
    hub.request('post', promptPath(prompt, '/render')).send(body);
  const VARIABLES = [
    NAME,
    { name: '年龄', type: 'integer', min: 0 },
    { name: 'mood', type: 'enum', options: ['good', 'bad'], default: 'good' },
    { name: 'key', type: 'string', required: true, sensitive: true },
  ];

  it('shows the text, its version and its size', async () => {
    const prompt = await savePrompt(hub, {
      prompt_content: '{{name}}：{{#年龄_known}}{{年龄}}岁{{/年龄_known}} {"json": {"a": 1}} {{mood}}',
      variables: [NAME, { name: '年龄', type: 'integer' }, { name: '年龄_known', type: 'boolean' }, VARIABLES[2]],
      labels: { production: 1 },
    });
    const { body } = await render(prompt, { variables: { name: '小明', 年龄: 8, 年龄_known: true, extra: 1 } }).expect(
      200,
    );
    expect(body).toEqual({
      text: '小明：8岁 {"json": {"a": 1}} good',
      version: 1,
      content_sha256: prompt['content_sha256'],
      characters: 29,
      token_estimate: 11,
      warnings: [{ code: 'undeclared_value', name: 'extra', message: expect.any(String) }],
    });
    await render(prompt, { label: 'latest', variables: { name: 'x' } }).expect(200);
    await render(prompt, { version: 1, label: null, variables: { name: 'x' } }).expect(200);
    await render(prompt, { version: 2 }).expect(404, /version_not_found/);
    await render(prompt, { label: 'staging' }).expect(404, /label_not_found/);
    await render(prompt, { version: 1, label: 'latest' }).expect(400);
  });

  it('names every variable that is missing or does not fit, and no value', async () => {
    const text = '{{name}} {{年龄}} {{mood}} {{key}}';
    const prompt = await savePrompt(hub, { prompt_content: text, variables: VARIABLES, labels: { production: 1 } });
    const wrong = { 年龄: -1, mood: 'SECRET-mood', key: ['SECRET-key'] };
    for (const answer of [
      await render(prompt, { variables: wrong }),
      await hub
        .request('post', `${PROMPTS}/render`)
        .send({ prompt_content: text, variables: VARIABLES, values: wrong }),
    ]) {
      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({ code: 'prompt_variables_invalid' });
      expect(fieldsOf(answer.body)).toEqual(['variables.name', 'variables.年龄', 'variables.mood', 'variables.key']);
      expect(answer.text).not.toContain('SECRET');
    }
    expect(hub.logs()).not.toContain('SECRET');
  });

  it('of a draft names what is undeclared as well', async () => {
    const draft = { prompt_content: '{{name}} {{other}} {{第三}}', variables: [NAME], values: {} };
    const { body } = await hub.request('post', `${PROMPTS}/render`).send(draft).expect(422);
    expect(new Set(fieldsOf(body))).toEqual(new Set(['variables.other', 'variables.第三', 'variables.name']));
    const good = { prompt_content: 'Hi {{name}}', variables: [NAME], values: { name: '{{name}} {{#x}}' } };
    const rendered = await hub.request('post', `${PROMPTS}/render`).send(good).expect(200);
    expect(rendered.body).toMatchObject({ text: 'Hi {{name}} {{#x}}', version: null, content_sha256: null });
  });

  it('validates a draft: errors with their place, and the variables it uses', async () => {
    const validate = async (body: Json): Promise<Json> =>
      (await hub.request('post', `${PROMPTS}/validate`).send(body).expect(200)).body as Json;
    const undeclared = await validate({ prompt_content: '{{客户名}} {{#list}}{{.}}{{/list}}' });
    expect(undeclared).toEqual({ valid: true, errors: [], warnings: [], variables: ['客户名', 'list'] });
    expect(await validate({ prompt_content: '{{a}}', variables: [] })).toMatchObject({
      valid: false,
      errors: [{ line: 1, column: 1, code: 'undeclared_variable', name: 'a' }],
    });
    expect(await validate({ prompt_content: 'x\n {{ range.constructor("x") }}' })).toMatchObject({
      valid: false,
      errors: [{ line: 2, column: 2, code: 'unknown_syntax' }],
    });
    expect(await validate({ prompt_content: 'x', variables: [NAME] })).toMatchObject({
      valid: true,
      warnings: [{ code: 'unused_variable', name: 'name' }],
    });
    const wrong = await hub
      .request('post', `${PROMPTS}/validate`)
      .send({ prompt_content: 'x', variables: [{}] })
      .expect(400);
    expect(fieldsOf(wrong.body)).toEqual(['variables[0].name', 'variables[0].type']);
  });
});

describe("a model's default prompt", () => {
  const config = (fields: Json): ReturnType<TestHub['request']> =>
    hub.request('post', CONFIGS).send(aModelConfig(fields));

  it('must be one that calls can use', async () => {
    const good = await savePrompt(hub, {
      prompt_content: 'Hi {{a}}',
      variables: [{ ...NAME, name: 'a', default: 'x' }],
      labels: { production: 1 },
    });
    const unlabelled = await savePrompt(hub);
    const needy = await savePrompt(hub, {
      prompt_content: 'Hi {{name}}',
      variables: [NAME],
      labels: { production: 1 },
    });
    const archived = await savePrompt(hub, { labels: { production: 1 } });
    await hub.request('delete', promptPath(archived)).expect(204);
    const model = await saveModel(hub);
    for (const [name, label, field] of [
      ['no-such-prompt', null, 'system_prompt_name'],
      [archived['name'], null, 'system_prompt_name'],
      [unlabelled['name'], null, 'system_prompt_label'],
      [good['name'], 'staging', 'system_prompt_label'],
      [needy['name'], null, 'system_prompt_name'],
      [needy['name'], 'latest', 'system_prompt_name'],
    ]) {
      const fields = { system_prompt_name: name, system_prompt_label: label };
      for (const answer of [
        await config(fields),
        await hub.request('put', `${CONFIGS}/${String(model['id'])}`).send(fields),
      ]) {
        expect({ fields, status: answer.status, code: (answer.body as Json)['code'] }).toEqual({
          fields,
          status: 422,
          code: 'default_prompt_not_usable',
        });
        expect(fieldsOf(answer.body)).toEqual([field]);
      }
    }
    await config({ system_prompt_name: good['name'] }).expect(201);
    await config({ system_prompt_name: good['name'], system_prompt_label: 'production' }).expect(201);
    await config({ system_prompt_name: unlabelled['name'], system_prompt_label: 'latest' }).expect(201);
    await config({ system_prompt_label: 'anything' }).expect(201);
  });

  it('is not looked at again when something else of the config changes', async () => {
    const prompt = await savePrompt(hub, { labels: { production: 1 } });
    const model = await saveModel(hub, { system_prompt_name: prompt['name'] });
    // Nothing of ours does that; a row that was edited by hand must not keep its config from being changed.
    await hub.database.query('UPDATE system_prompt_templates SET is_active = false WHERE id = $1', [prompt['id']]);
    const path = `${CONFIGS}/${String(model['id'])}`;
    await hub.request('put', path).send({ priority: 5, system_prompt_name: prompt['name'] }).expect(200);
    await hub
      .request('put', path)
      .send({ system_prompt_label: 'latest' })
      .expect(422, /default_prompt_not_usable/);
    await hub.request('put', path).send({ system_prompt_name: null }).expect(200);
  });

  it('cannot be taken away from the models that follow it', async () => {
    const prompt = await savePrompt(hub, { labels: { production: 1, staging: 1 } });
    const needy = await saveVersion(hub, prompt, { prompt_content: 'Hi {{name}}', variables: [NAME] });
    const first = await saveModel(hub, { alias: 'follower-1', system_prompt_name: prompt['name'] });
    await saveModel(hub, {
      alias: 'follower-2',
      system_prompt_name: prompt['name'],
      system_prompt_label: 'production',
    });
    await saveModel(hub, { alias: 'follower-3', system_prompt_name: prompt['name'], system_prompt_label: 'staging' });
    const label = promptPath(prompt, '/labels/production');
    for (const [refused, models] of [
      [hub.request('delete', promptPath(prompt)), ['follower-1', 'follower-2', 'follower-3']],
      [hub.request('put', promptPath(prompt)).send({ is_active: false }), ['follower-1', 'follower-2', 'follower-3']],
      [hub.request('delete', label), ['follower-1', 'follower-2']],
      [hub.request('put', label).send({ version: needy['version'] }), ['follower-1', 'follower-2']],
    ] as const) {
      const { body } = await refused.expect(409);
      expect(body).toMatchObject({ code: 'prompt_in_use', models });
      for (const alias of models) expect((body as { detail: string }).detail).toContain(alias);
    }
    const { body } = await hub.request('get', promptPath(prompt, '/usages')).expect(200);
    expect(body).toMatchObject({
      total: 3,
      models: [
        { id: first['id'], alias: 'follower-1', label: 'production', version: 1, is_enabled: true },
        { alias: 'follower-2', label: 'production', version: 1 },
        { alias: 'follower-3', label: 'staging', version: 1 },
      ],
    });
    await moveLabel(hub, prompt, 'nobody', Number(needy['version']));
    for (const alias of ['follower-1', 'follower-2', 'follower-3']) {
      const { body: model } = await hub.request('get', `${CONFIGS}/by-alias/${alias}`).expect(200);
      await hub
        .request('put', `${CONFIGS}/${String((model as Json)['id'])}`)
        .send({ system_prompt_name: null })
        .expect(200);
    }
    await hub.request('put', label).send({ version: needy['version'] }).expect(200);
    await hub.request('delete', label).expect(204);
    await hub.request('delete', promptPath(prompt)).expect(204);
  });

  it('a model that follows latest keeps new versions usable', async () => {
    const prompt = await savePrompt(hub);
    await saveModel(hub, {
      alias: 'follows-latest',
      system_prompt_name: prompt['name'],
      system_prompt_label: 'latest',
    });
    const needy = { prompt_content: 'Hi {{name}}', variables: [NAME] };
    const refused = await hub.request('post', promptPath(prompt, '/versions')).send(needy).expect(409);
    expect(refused.body).toMatchObject({ code: 'prompt_in_use', models: ['follows-latest'] });
    expect(await readPrompt(hub, prompt)).toEqual(prompt);
    await saveVersion(hub, prompt, { ...needy, variables: [{ ...NAME, default: 'you' }] });
  });

  it('a save of a config and a removal of its label at once: never both', async () => {
    for (let round = 0; round < 20; round += 1) {
      const prompt = await savePrompt(hub, { labels: { production: 1 } });
      const model = await saveModel(hub);
      const [saved, removed] = await Promise.all([
        hub.request('put', `${CONFIGS}/${String(model['id'])}`).send({ system_prompt_name: prompt['name'] }),
        hub.request('delete', promptPath(prompt, '/labels/production')),
      ]);
      expect([
        [200, 409],
        [422, 204],
      ]).toContainEqual([saved.status, removed.status]);
    }
  });

  it('a config is restored with a prompt that is still usable, and not with another', async () => {
    const prompt = await savePrompt(hub, { labels: { production: 1 } });
    const model = await saveModel(hub, { system_prompt_name: prompt['name'], provider: 'local', api_key: null });
    const path = `${CONFIGS}/${String(model['id'])}`;
    await hub.request('put', path).send({ system_prompt_name: null }).expect(200);
    const restored = await hub.request('post', `${path}/history/1/restore`).expect(200);
    expect(restored.body).toMatchObject({ system_prompt_name: prompt['name'], version: 3 });
    await hub.request('put', path).send({ system_prompt_name: null }).expect(200);
    await hub.request('delete', promptPath(prompt)).expect(204);
    await hub.request('post', `${path}/history/1/restore`).expect(422, /default_prompt_not_usable/);
  });
});
