import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { HistoryList } from '../src/contract/history.contract.js';
import { generateToken, hashToken } from '../src/platform/auth/token-text.js';
import { Secret } from '../src/platform/secrets/secret.js';
import { KeyRing } from '../src/storage/crypto/key-ring.js';
import { KeyRingHolder } from '../src/storage/crypto/key-ring-holder.js';
import { SecretVault } from '../src/storage/crypto/secret-vault.js';
import { connectionFromUrl } from '../src/storage/database/connection.js';
import { dataSourceOptions, MIGRATING } from '../src/storage/database/data-source-options.js';
import { migrations } from '../typeorm-migrations/index.js';
import { aChat, call, saveModel, until, usageAfter, type Json } from './support/calls.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { startCaller, startScriptedStorage } from './support/scripted-storage.js';

/** What the first released schema consists of. */
const FIRST_SCHEMA = 5;
const KEY = `sk-of-the-first-version-${randomBytes(8).toString('hex')}`;

describe('a database of the first version, with data in it', () => {
  const keyRing = randomKeyRing();
  const configId = randomUUID();
  const token = generateToken('api');
  let database: TestDatabase;
  let provider: FakeProvider;
  let hub: TestHub;

  const migrateToFirstSchema = async (): Promise<void> => {
    const options = dataSourceOptions(connectionFromUrl(Secret.of(database.url)), MIGRATING);
    const dataSource = await new DataSource({ ...options, migrations: migrations.slice(0, FIRST_SCHEMA) }).initialize();
    await dataSource.runMigrations();
    await dataSource.destroy();
  };

  const fill = async (): Promise<void> => {
    const sealed = new SecretVault(new KeyRingHolder(KeyRing.parse(keyRing), null)).seal(KEY, {
      table: 'ai_model_configs',
      rowId: configId,
      field: 'api_key',
      allowedOrigin: new URL(provider.url).origin,
    });
    await database.query(
      `INSERT INTO ai_model_configs (id, alias, provider, model_name, api_key, api_key_hint, api_base, priority, tags,
         usage_count, version, input_price_per_million)
       VALUES ($1, 'veteran', 'openai_compatible', 'real-model', $2, $3, $4, 7, '{"team": "first"}', 12, 4, 0.15)`,
      [configId, sealed, KEY.slice(-4), provider.url],
    );
    await database.query(
      `INSERT INTO api_tokens (name, prefix, token_sha256, scopes, created_by)
       VALUES ('old service', $1, $2, '{invoke,models:read}', 'admin')`,
      [token.prefix, hashToken(token.text)],
    );
    await database.query(
      `INSERT INTO system_prompt_templates (name, display_name, created_by, updated_by)
       VALUES ('old-prompt', '旧的提示词', 'admin', 'admin')`,
    );
    await database.query(
      `INSERT INTO usage_minutes
       SELECT date_trunc('minute', now()) - n * interval '7 minutes', $1, 'veteran', 'openai_compatible', 'api',
         CASE WHEN n % 5 = 0 THEN 'server' ELSE 'ok' END, 2, 0, 10 * n, n, 20 * n, 0, 2, 100, 500
       FROM generate_series(1, 50) AS n`,
      [configId],
    );
  };

  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
    provider = await startFakeProvider();
    await migrateToFirstSchema();
    await fill();
    hub = await startHub({ database, env: { ENCRYPTION_KEYS: keyRing } });
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  it('keeps configs, keys, tokens and counters', async () => {
    const { body } = await hub.request('get', `${CONFIGS}/by-alias/veteran`, token.text).expect(200);
    expect(body).toMatchObject({ id: configId, version: 4, priority: 7, usage_count: 12, status: 'configured' });
    expect(body).toMatchObject({ cached_input_price_per_million: null, input_price_per_million: 0.15 });
    const answer = await until(
      () => call(hub, aChat('veteran'), { token: token.text }),
      ({ status }) => status === 200,
    );
    expect(answer.status).toBe(200);
    expect(provider.calls.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it('keeps what was counted', async () => {
    const { body } = await hub.request('get', '/api/v1/ai-models/statistics').expect(200);
    const statistics = body as { usage_count: number; errors_by_class: Json; tokens: { input: number } };
    expect(statistics.usage_count).toBeGreaterThanOrEqual(100);
    expect(statistics.errors_by_class).toEqual({ server: 20 });
    expect(statistics.tokens.input).toBeGreaterThanOrEqual(10 * ((50 * 51) / 2));
  });

  it('begins the history with what was there, so that it can be restored', async () => {
    await hub.request('put', `${CONFIGS}/${configId}`).send({ priority: 1, tags: {} }).expect(200);
    const { body } = await hub.request('get', `${CONFIGS}/${configId}/history`).expect(200);
    expect((body as HistoryList).entries.map(({ version, actor_id: actor }) => [version, actor])).toEqual([
      [5, 'admin'],
      [4, 'migration'],
    ]);
    const restored = await hub.request('post', `${CONFIGS}/${configId}/history/4/restore`).send({}).expect(200);
    expect(restored.body).toMatchObject({ version: 6, priority: 7, tags: { team: 'first' }, has_api_key: true });
    const tokens = (await hub.request('get', '/api/v1/history?kind=token').expect(200)).body as HistoryList;
    expect(tokens.entries.map(({ subject_name: name }) => name)).toEqual(['old service']);
  });

  it('holds no key in the history that the migration wrote', async () => {
    const rows = JSON.stringify(await database.query('SELECT * FROM change_history'));
    expect(rows).toContain('stored before the history');
    expect(rows).not.toContain('hub1.');
    expect(rows).not.toContain(KEY.slice(0, -4));
  });

  it('can be taken back down to the first schema and up again, with providers that the first one does not know', async () => {
    const { id, alias } = await saveModel(hub, { provider: 'mistral', api_base: provider.url });
    expect((await call(hub, aChat(alias))).status).toBe(200);
    await usageAfter(hub, id, 1);
    await hub.stop();
    const options = dataSourceOptions(connectionFromUrl(Secret.of(database.url)), MIGRATING);
    const dataSource = await new DataSource(options).initialize();
    try {
      for (let index = migrations.length; index > FIRST_SCHEMA; index -= 1) await dataSource.undoLastMigration();
      const [row] = await database.query<{ calls: string }>('SELECT sum(calls) AS calls FROM usage_minutes');
      expect(Number(row?.calls)).toBeGreaterThanOrEqual(101);
      const providers = 'SELECT DISTINCT provider FROM ai_model_configs';
      expect(await database.query(providers)).toEqual([{ provider: 'openai_compatible' }]);
      expect((await dataSource.runMigrations()).length).toBe(migrations.length - FIRST_SCHEMA);
    } finally {
      await dataSource.destroy();
    }
  });
});

describe('a snapshot as version 0.3 wrote it', () => {
  const FIXTURE = new URL('./fixtures/snapshot-0.3.json', import.meta.url);

  it('is what a process of today answers calls from, without anything that came later', async () => {
    const [storage, provider] = await Promise.all([startScriptedStorage(), startFakeProvider()]);
    const database = await createTestDatabase();
    const token = generateToken('api');
    const snapshot = readFileSync(FIXTURE, 'utf8')
      .replace('$API_BASE', provider.url)
      .replace('$TOKEN_SHA256', hashToken(token.text));
    storage.on('GET /internal/v1/snapshot', (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(snapshot);
    });
    const known = { database, adminToken: generateToken('admin').text, serviceToken: generateToken('service').text };
    const caller = await startCaller(known, storage.url);
    try {
      const answer = await until(
        () => call(caller, aChat('veteran'), { token: token.text }),
        ({ status }) => status === 200,
      );
      expect(answer.status).toBe(200);
      expect(provider.calls.at(-1)).toMatchObject({
        headers: { authorization: 'Bearer sk-fixture-0123456789' },
        body: { temperature: 0.5, messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user' }] },
      });
    } finally {
      await caller.close();
      await Promise.all([storage.close(), provider.close()]);
    }
  });
});
