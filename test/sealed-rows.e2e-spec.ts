// Somebody who can write the database changes what is sealed in it: each such row, and no other, stops being usable,
// its key goes nowhere, and entering the key again mends it.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Snapshot, SnapshotModel } from '../src/contract/snapshot.contract.js';
import { SecretVault } from '../src/storage/crypto/secret-vault.js';
import { aModelConfig } from './factories/model-config.js';
import { raiseWholeRevision } from './support/database.js';
import { type FakeProvider, startFakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { mutationsOf } from './support/sealed-mutations.js';

interface Config {
  id: string;
  alias: string;
  key: string;
}

const ORIGIN = 'http://127.0.0.1:18080';

describe('sealed secrets in a database that was tampered with', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  let elsewhere: FakeProvider;

  beforeAll(async () => {
    [hub, provider, elsewhere] = await Promise.all([startHub(), startFakeProvider(), startFakeProvider()]);
  });
  afterAll(() => Promise.all([hub.close(), provider.close(), elsewhere.close()]));
  beforeEach(() => {
    provider.calls.length = 0;
    elsewhere.calls.length = 0;
  });

  const save = async (fields: Record<string, unknown> = {}): Promise<Config> => {
    const body = aModelConfig({ api_base: provider.url, ...fields });
    const answer = await hub.request('post', CONFIGS).send(body).expect(201);
    return { id: String(answer.body.id), alias: String(body['alias']), key: String(body['api_key']) };
  };

  /** What a database tool would do, and the next revision, without which nobody reads the rows again. */
  const edit = async (statement: string, values: unknown[] = []): Promise<void> => {
    await hub.database.query(statement, values);
    await raiseWholeRevision(hub.database);
  };

  const readSnapshot = async (): Promise<Map<string, SnapshotModel>> => {
    const answer = await hub.request('get', '/internal/v1/snapshot', hub.serviceToken).expect(200);
    return new Map((answer.body as Snapshot).models.map((model) => [model.id, model]));
  };

  const readStatus = async (id: string): Promise<string> =>
    String((await hub.request('get', `${CONFIGS}/${id}`).expect(200)).body.status);

  const call = (alias: string): Promise<{ status: number; body: { error?: { code: string } } }> =>
    hub
      .request('post', '/v1/chat/completions')
      .send({ model: alias, messages: [{ role: 'user', content: 'Hi' }] })
      .then(({ status, body }) => ({ status, body: body as { error?: { code: string } } }));

  /** The AI model service learns of a change a moment later. */
  const callUntil = async (alias: string, status: number): Promise<{ status: number; code: string | undefined }> => {
    const end = Date.now() + 5000;
    for (;;) {
      const answer = await call(alias);
      if (answer.status === status || Date.now() > end) return { status: answer.status, code: answer.body.error?.code };
    }
  };

  const waitUntilNotCallable = async (alias: string): Promise<void> => {
    for (const end = Date.now() + 5000; Date.now() < end;) {
      const { status } = await hub.request('get', `/v1/models/${alias}`);
      if (status === 404) return;
    }
    throw new Error(`${alias} can still be called.`);
  };

  const sentKeys = ({ calls }: FakeProvider): (string | undefined)[] =>
    calls.map(({ headers }) => headers.authorization);

  const stored = async (id: string): Promise<{ api_key: string; auth_headers: string }> => {
    const [row] = await hub.database.query<{ api_key: string; auth_headers: string }>(
      'SELECT api_key, auth_headers FROM ai_model_configs WHERE id = $1',
      [id],
    );
    return row as { api_key: string; auth_headers: string };
  };

  it('rejects every flipped bit and every cut, and nothing else', async () => {
    const vault = hub.application.nest.get(SecretVault);
    const sealFor = (rowId: string): string =>
      vault.seal('sk-abcdefgh12345678', {
        table: 'ai_model_configs',
        rowId,
        field: 'api_key',
        allowedOrigin: ORIGIN,
      });
    const rows = mutationsOf(sealFor(randomUUID())).map((_, index) => {
      const id = randomUUID();
      const sealed = sealFor(id);
      const mutation = mutationsOf(sealed)[index] as { what: string; text: string };
      return {
        id,
        alias: `damaged-${index}`,
        text: mutation.text,
        what: mutation.what,
        isChanged: mutation.text !== sealed,
      };
    });
    const intact = Array.from({ length: 20 }, (_, index) => {
      const id = randomUUID();
      return { id, alias: `intact-${index}`, text: sealFor(id), what: 'nothing', isChanged: false };
    });
    expect(rows.length).toBeGreaterThan(800);
    expect(rows.filter(({ isChanged }) => !isChanged)).toEqual([]);
    const all = [...rows, ...intact];
    await edit(
      `INSERT INTO ai_model_configs (id, alias, provider, model_name, api_base, api_key)
       SELECT id, alias, 'openai_compatible', 'm', $4, key FROM unnest($1::uuid[], $2::text[], $3::text[]) AS row (id, alias, key)`,
      [all.map(({ id }) => id), all.map(({ alias }) => alias), all.map(({ text }) => text), `${ORIGIN}/v1`],
    );

    const snapshot = await readSnapshot();
    const seen = all.map(({ id, what }) => ({
      what,
      readable: snapshot.get(id)?.credential_readable,
      key: snapshot.get(id)?.api_key,
    }));
    expect(
      seen.filter(({ what, readable, key }) => what !== 'nothing' && (readable !== false || key !== null)),
    ).toEqual([]);
    expect(seen.filter(({ what }) => what === 'nothing')).toEqual(
      intact.map(({ what }) => ({ what, readable: true, key: 'sk-abcdefgh12345678' })),
    );

    const counted = await hub.request('get', `${CONFIGS}?status=error&limit=1`).expect(200);
    expect(counted.body.total).toBe(rows.length);
    const listed = await hub.request('get', `${CONFIGS}?limit=1000&sort=alias`).expect(200);
    const total = listed.body.total as number;
    const rest =
      total > 1000 ? await hub.request('get', `${CONFIGS}?limit=1000&skip=1000&sort=alias`).expect(200) : null;
    const models = [...listed.body.models, ...(rest?.body.models ?? [])] as { alias: string; status: string }[];
    const statusOf = new Map(models.map(({ alias, status }) => [alias, status]));
    expect(models).toHaveLength(total);
    expect(
      all.filter(({ alias, what }) => statusOf.get(alias) !== (what === 'nothing' ? 'configured' : 'error')),
    ).toEqual([]);
    await hub.request('get', '/api/v1/ai-models/active').expect(200);
    await hub.database.query('DELETE FROM ai_model_configs');
  });

  interface Damage {
    name: string;
    /** Changes `victim` (and perhaps `other`) in the database. */
    inflict: (victim: Config, other: Config) => Promise<void>;
    /** Both rows of a swap are victims. */
    hitsOther?: boolean;
    /** What has to be entered again. */
    heal?: (victim: Config) => Record<string, unknown>;
    healedAt?: () => FakeProvider;
    fields?: Record<string, unknown>;
  }

  const damages: Damage[] = [
    {
      name: 'one flipped bit',
      inflict: async ({ id }) => {
        const { api_key: sealed } = await stored(id);
        await edit('UPDATE ai_model_configs SET api_key = $2 WHERE id = $1', [id, mutationsOf(sealed)[300]?.text]);
      },
    },
    {
      name: 'an empty text',
      inflict: ({ id }) => edit(`UPDATE ai_model_configs SET api_key = '' WHERE id = $1`, [id]),
    },
    {
      name: 'a key in clear',
      inflict: ({ id, key }) => edit('UPDATE ai_model_configs SET api_key = $2 WHERE id = $1', [id, key]),
    },
    {
      name: "another row's key",
      inflict: ({ id }, other) =>
        edit(
          'UPDATE ai_model_configs SET api_key = (SELECT api_key FROM ai_model_configs WHERE id = $2) WHERE id = $1',
          [id, other.id],
        ),
    },
    {
      name: 'two keys exchanged',
      hitsOther: true,
      inflict: async ({ id }, other) => {
        const [one, two] = [await stored(id), await stored(other.id)];
        await edit('UPDATE ai_model_configs SET api_key = CASE WHEN id = $1 THEN $3 ELSE $4 END WHERE id IN ($1, $2)', [
          id,
          other.id,
          two.api_key,
          one.api_key,
        ]);
      },
    },
    {
      name: "another row's identity",
      inflict: ({ id }, other) =>
        edit(
          `UPDATE ai_model_configs SET api_key = replace((SELECT api_key FROM ai_model_configs WHERE id = $2), 'hub1.k1', 'hub1.k2') WHERE id = $1`,
          [id, other.id],
        ),
    },
    {
      name: 'the headers in place of the key',
      fields: { auth_headers: { 'x-org': 'secret-org' } },
      inflict: ({ id }) => edit('UPDATE ai_model_configs SET api_key = auth_headers WHERE id = $1', [id]),
    },
    {
      name: 'the key in place of the headers',
      fields: { auth_headers: { 'x-org': 'secret-org' } },
      inflict: ({ id }) => edit('UPDATE ai_model_configs SET auth_headers = api_key WHERE id = $1', [id]),
      heal: () => ({ auth_headers: { 'x-org': 'secret-org' } }),
    },
    {
      name: 'another origin of api_base',
      inflict: ({ id }) => edit('UPDATE ai_model_configs SET api_base = $2 WHERE id = $1', [id, elsewhere.url]),
      healedAt: () => elsewhere,
    },
    {
      name: 'an api_base that is no address',
      inflict: ({ id }) => edit(`UPDATE ai_model_configs SET api_base = 'nowhere' WHERE id = $1`, [id]),
      heal: ({ key }) => ({ api_key: key, api_base: provider.url }),
    },
    {
      name: 'no api_base any more',
      inflict: ({ id }) => edit('UPDATE ai_model_configs SET api_base = NULL WHERE id = $1', [id]),
      heal: ({ key }) => ({ api_key: key, api_base: provider.url }),
    },
  ];

  it.each(damages)(
    'with $name, that model and no other is out of use until its key is entered again',
    async (damage) => {
      const [victim, other, bystander] = await Promise.all([save(damage.fields), save(), save()]);
      expect(await callUntil(victim.alias, 200)).toMatchObject({ status: 200 });
      const calledBefore = provider.calls.length;

      await damage.inflict(victim, other);

      const out = damage.hitsOther ? [victim, other] : [victim];
      const fit = damage.hitsOther ? [bystander] : [other, bystander];
      const snapshot = await readSnapshot();
      for (const { id, alias } of out) {
        expect(snapshot.get(id)).toMatchObject({ credential_readable: false, api_key: null, auth_headers: null });
        expect(await readStatus(id)).toBe('error');
        expect(await callUntil(alias, 503)).toEqual({ status: 503, code: 'credential_unavailable' });
      }
      for (const { id, key } of fit)
        expect(snapshot.get(id)).toMatchObject({ credential_readable: true, api_key: key });
      const listed = await hub.request('get', CONFIGS).expect(200);
      expect(listed.body.models).toHaveLength(listed.body.total as number);
      const managed = await hub.request('get', '/api/v1/models/management/list').expect(200);
      expect(managed.body).toMatchObject({ total: listed.body.total, degraded: false });
      const callable = (await hub.request('get', '/v1/models').expect(200)).body.data as { id: string }[];
      const names = callable.map(({ id }) => id);
      expect(out.filter(({ alias }) => names.includes(alias))).toEqual([]);
      expect(fit.filter(({ alias }) => !names.includes(alias))).toEqual([]);
      // Until the change had arrived, calls went to where they were allowed to go; since then none went anywhere.
      const arrived = provider.calls.length;
      for (const { alias } of out) expect((await call(alias)).status).toBe(503);
      expect(provider.calls).toHaveLength(arrived);
      expect(new Set(sentKeys(provider).slice(calledBefore))).toEqual(
        new Set(arrived > calledBefore ? [`Bearer ${victim.key}`] : []),
      );
      expect(elsewhere.calls).toEqual([]);
      for (const { alias, key } of fit) {
        expect(await call(alias)).toMatchObject({ status: 200 });
        expect(sentKeys(provider).at(-1)).toBe(`Bearer ${key}`);
      }

      for (const { id, alias, key } of out) {
        const healing = damage.heal?.(victim) ?? { api_key: key };
        const healed = await hub.request('put', `${CONFIGS}/${id}`).send(healing).expect(200);
        expect(healed.body.status).toBe('configured');
        expect(await callUntil(alias, 200)).toMatchObject({ status: 200 });
        expect(sentKeys((damage.healedAt ?? (() => provider))()).at(-1)).toBe(`Bearer ${key}`);
        expect(await readStatus(id)).toBe('configured');
        expect((await readSnapshot()).get(id)).toMatchObject({ credential_readable: true, api_key: key });
      }
    },
  );

  it('does not let the key of one provider follow a changed provider, where neither names an address', async () => {
    const victim = await save({ provider: 'openai', api_base: null, api_key: 'sk-abcdefgh12345678' });
    const other = await save();
    await edit(`UPDATE ai_model_configs SET provider = 'huggingface' WHERE id = $1`, [victim.id]);
    expect((await readSnapshot()).get(victim.id)).toMatchObject({ credential_readable: false, api_key: null });
    expect(await readStatus(victim.id)).toBe('error');
    // Not by calling: until the change has arrived, a call would go to the provider's real address.
    await waitUntilNotCallable(victim.alias);
    expect(await call(victim.alias)).toMatchObject({
      status: 503,
      body: { error: { code: 'credential_unavailable' } },
    });
    expect(await callUntil(other.alias, 200)).toMatchObject({ status: 200 });
    await edit(`UPDATE ai_model_configs SET provider = 'openai' WHERE id = $1`, [victim.id]);
    expect((await readSnapshot()).get(victim.id)).toMatchObject({
      credential_readable: true,
      api_key: 'sk-abcdefgh12345678',
    });
    expect(await readStatus(victim.id)).toBe('configured');
  });

  it('finds a damaged row readable again when what was sealed is put back', async () => {
    const victim = await save();
    const { api_key: sealed } = await stored(victim.id);
    await edit('UPDATE ai_model_configs SET api_key = $2 WHERE id = $1', [victim.id, sealed.slice(0, -4)]);
    await readSnapshot();
    expect(await readStatus(victim.id)).toBe('error');
    await edit('UPDATE ai_model_configs SET api_key = $2 WHERE id = $1', [victim.id, sealed]);
    await readSnapshot();
    expect(await readStatus(victim.id)).toBe('configured');
    expect(await callUntil(victim.alias, 200)).toMatchObject({ status: 200 });
  });

  it('says in its log which rows are out of use, and nothing of what is in them', async () => {
    const victim = await save();
    const { api_key: sealed } = await stored(victim.id);
    const damaged = mutationsOf(sealed)[100]?.text ?? '';
    await edit('UPDATE ai_model_configs SET api_key = $2 WHERE id = $1', [victim.id, damaged]);
    await readSnapshot();
    expect(hub.logs()).toContain(victim.id);
    for (const secret of [victim.key, sealed.slice(10), damaged.slice(10)]) expect(hub.logs()).not.toContain(secret);
  });
});
