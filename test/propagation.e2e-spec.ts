import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import * as fc from 'fast-check';
import type { InstanceReport } from '../src/contract/instance.contract.js';
import type { Snapshot, SnapshotDifference } from '../src/contract/snapshot.contract.js';
import { CHANGED_SUBJECTS } from '../src/storage/internal/snapshot-difference.js';
import { aModelConfig } from './factories/model-config.js';
import { aChat, call, saveModel, until, usageSoon } from './support/calls.js';
import { startFakeProvider } from './support/fake-provider.js';
import { savePrompt } from './support/prompts.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { openStream, type OpenStream } from './support/event-stream.js';

const SNAPSHOT = '/internal/v1/snapshot';
const REPORTS = '/internal/v1/instances';

type Asked = Pick<TestHub, 'request' | 'serviceToken'>;

const whole = async (hub: Asked): Promise<Snapshot> =>
  (await hub.request('get', SNAPSHOT, hub.serviceToken).expect(200)).body as Snapshot;
const since = async (hub: Asked, revision: number): Promise<Snapshot | SnapshotDifference> =>
  (await hub.request('get', `${SNAPSHOT}?since=${revision}`, hub.serviceToken).expect(200)).body as SnapshotDifference;

type Kind = 'models' | 'tokens' | 'prompts';
const KINDS: Kind[] = ['models', 'tokens', 'prompts'];
const byId = (list: readonly { id: string }[]): Map<string, { id: string }> =>
  new Map(list.map((one) => [one.id, one]));

/** What somebody who has the old snapshot has after the difference; entries by id. */
const applied = (old: Snapshot, difference: SnapshotDifference, kind: Kind): Record<string, unknown> => {
  const entries = byId(old[kind]);
  for (const entry of difference[kind]) entries.set(entry.id, entry);
  for (const id of difference.removed[kind]) entries.delete(id);
  return Object.fromEntries(entries);
};

describe('a difference of snapshots', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(() => hub.close());

  const ids = { configs: [] as string[], prompts: [] as string[], tokens: [] as string[] };
  const some = <Value>(list: readonly Value[], at: number): Value => list[at % list.length] as Value;
  /** Each changes something, by a number that chooses what. */
  const CHANGES: ((at: number) => Promise<unknown>)[] = [
    async () => ids.configs.push(String((await saveModel(hub))['id'])),
    (at) => hub.request('put', `${CONFIGS}/${some(ids.configs, at)}`).send({ alias: `renamed-${randomUUID()}` }),
    (at) => hub.request('put', `${CONFIGS}/${some(ids.configs, at)}`).send({ api_key: `key-${randomUUID()}` }),
    (at) => hub.request('delete', `${CONFIGS}/${ids.configs.splice(at % ids.configs.length, 1)[0]}`),
    async () => ids.prompts.push(String((await savePrompt(hub, { labels: { production: 1 } }))['id'])),
    (at) =>
      hub.request('put', `/api/v1/ai-models/prompts/${some(ids.prompts, at)}/labels/staging`).send({ version: 1 }),
    (at) => hub.request('put', `/api/v1/ai-models/prompts/${some(ids.prompts, at)}`).send({ is_public: at % 2 === 0 }),
    async () => {
      const { body } = await hub.request('post', '/api/v1/tokens').send({ name: 'one', scopes: ['invoke'] });
      ids.tokens.push((body as { id: string }).id);
    },
    (at) => hub.request('delete', `/api/v1/tokens/${ids.tokens.splice(at % ids.tokens.length, 1)[0]}`),
    () => hub.request('put', '/api/v1/ai-models/prompts/protected-labels').send({ labels: [`l${Date.now() % 1000}`] }),
  ];

  it('makes of the old snapshot the new one, whatever was changed', async () => {
    for (const make of [0, 0, 4, 4, 7, 7, 0, 7]) await CHANGES[make]?.(0);
    const change = fc.tuple(fc.nat({ max: CHANGES.length - 1 }), fc.nat({ max: 100 }));
    const check = async (sequence: [number, number][]): Promise<void> => {
      const old = await whole(hub);
      // Something to change or remove is always there.
      for (const make of [0, 4, 7]) await CHANGES[make]?.(0);
      for (const [which, at] of sequence) await CHANGES[which]?.(at);
      const difference = await since(hub, old.revision);
      const now = await whole(hub);
      if (!('since' in difference)) throw new Error('The whole, where a difference was enough');
      expect({ since: difference.since, revision: difference.revision }).toEqual({
        since: old.revision,
        revision: now.revision,
      });
      for (const kind of KINDS) {
        expect(applied(old, difference, kind)).toEqual(Object.fromEntries(byId(now[kind])));
        expect(difference.totals[kind]).toBe(now[kind].length);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), check), { numRuns: 12 });
  });

  it('costs what was changed, not what is there', async () => {
    for (let number = 0; number < 30; number += 1) await saveModel(hub);
    const old = await whole(hub);
    const { id } = await saveModel(hub);
    const difference = (await since(hub, old.revision)) as SnapshotDifference;
    expect(difference.models.map((model) => model.id)).toEqual([id]);
    expect({ tokens: difference.tokens, prompts: difference.prompts }).toEqual({ tokens: [], prompts: [] });
  });

  it('is found by the revision, however long the history is', async () => {
    await hub.database.query(`INSERT INTO change_history
        (revision, actor_id, kind, subject_id, subject_name, action, version, changes)
      SELECT number, 'somebody', 'config', gen_random_uuid(), 'one of many', 'update', 1, '[]'
      FROM generate_series(1, 20000) AS number`);
    await hub.database.query('ANALYZE change_history');
    const { revision } = await whole(hub);
    const plan = await hub.database.query(`EXPLAIN ${CHANGED_SUBJECTS}`.replaceAll('$1', String(revision)));
    const text = JSON.stringify(plan);
    expect(text).toContain('ix_change_history_revision');
    expect(text).not.toContain('Seq Scan on change_history');
  });

  it('tells what the hub noticed by itself', async () => {
    const provider = await startFakeProvider();
    provider.answerWith((_call, response) => void response.writeHead(401).end('{}'));
    const { id, alias } = await saveModel(hub, { api_base: provider.url });
    const { revision } = await whole(hub);
    await call(hub, aChat(alias));
    await usageSoon(hub, id, 1);
    const difference = (await since(hub, revision)) as SnapshotDifference;
    expect(difference.models).toMatchObject([{ id, status: 'error' }]);
    await provider.close();
  });

  it('is the whole when nobody can tell it: after a start, of another time, from a future', async () => {
    const { revision } = await whole(hub);
    for (const asked of [1, revision + 1_000_000]) expect(await since(hub, asked)).not.toHaveProperty('since');
    await hub.database.query('UPDATE hub_revision SET revision = revision + 1, whole_revision = revision + 1');
    expect(await since(hub, revision)).not.toHaveProperty('since');
  });

  it('is nothing when nothing changed, and a clear refusal of what is no revision', async () => {
    const { revision } = await whole(hub);
    await hub.request('get', `${SNAPSHOT}?since=${revision}`, hub.serviceToken).expect(304);
    for (const wrong of ['', 'x', '-1', '1.5', '1&since=2']) {
      const { body } = await hub.request('get', `${SNAPSHOT}?since=${wrong}`, hub.serviceToken).expect(400);
      expect(body).toMatchObject({ code: 'validation_failed', errors: [{ field: 'since' }] });
    }
  });

  it('and the whole are made once for all who ask at the same time', async () => {
    const dataSource = hub.application.nest.get(DataSource);
    const reads = jest.spyOn(dataSource, 'transaction');
    const answers = await Promise.all(Array.from({ length: 20 }, () => whole(hub)));
    const made = reads.mock.calls.filter(([isolation]) => (isolation as unknown) === 'REPEATABLE READ').length;
    reads.mockRestore();
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    // Those that come when the first is done begin another one.
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(10);
  });

  it('and the whole are packed for who takes it', async () => {
    for (let number = 0; number < 60; number += 1) await saveModel(hub, { description: 'x'.repeat(1000) });
    const [packed, plain] = await Promise.all(
      ['gzip', 'identity'].map((encoding) =>
        hub.request('get', SNAPSHOT, hub.serviceToken).set('accept-encoding', encoding).expect(200),
      ),
    );
    expect(packed?.headers['content-encoding']).toBe('gzip');
    expect(plain?.headers).not.toHaveProperty('content-encoding');
    expect(packed?.body).toEqual(plain?.body);
  });
});

describe('two storage processes on one database', () => {
  let first: TestHub;
  let second: TestHub;
  let streams: OpenStream[] = [];
  beforeAll(async () => {
    const shared = {
      ENCRYPTION_KEYS: randomKeyRing(),
      ADMIN_TOKEN: 'a'.repeat(40),
      STORAGE_SERVICE_TOKEN: 's'.repeat(40),
    };
    first = await startHub({ env: shared });
    second = await startHub({ env: shared, database: first.database });
  });
  afterAll(async () => {
    for (const stream of streams) stream.close();
    await second.stop();
    await first.close();
  });
  const watch = (hub: TestHub): OpenStream => {
    const stream = openStream(`${hub.url}/internal/v1/changes`, hub.serviceToken);
    streams = [...streams, stream];
    return stream;
  };
  const newest = (text: string): number => Number([...text.matchAll(/"revision":(\d+)/g)].at(-1)?.[1]);
  const isToldSoon = async (stream: OpenStream, milliseconds: number): Promise<void> => {
    await saveModel(first);
    const { revision } = await whole(first);
    await until(
      () => Promise.resolve(newest(stream.text())),
      (told) => told >= revision,
      milliseconds,
    );
  };

  it('tell each other by NOTIFY, long before anybody looks', async () => {
    const stream = watch(second);
    await until(
      () => Promise.resolve(stream.text()),
      (text) => text !== '',
    );
    const times: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const startedAt = performance.now();
      await isToldSoon(stream, 5000);
      times.push(performance.now() - startedAt);
    }
    // Looking each second would take half of one on average.
    expect(times.toSorted((a, b) => a - b)[4]).toBeLessThan(300);
  });

  it('do so again after the database cut their connections, and are found by looking meanwhile', async () => {
    const stream = watch(second);
    const KILL = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'ai-model-hub listener' AND datname = current_database()`;
    await first.database.query(KILL);
    await isToldSoon(stream, 3000);
    const listeners = (): Promise<unknown[]> =>
      first.database.query(`SELECT 1 FROM pg_stat_activity
        WHERE application_name = 'ai-model-hub listener' AND datname = current_database()`);
    await until(listeners, (found) => found.length === 2, 10_000);
  });

  describe('a write with ?wait=applied', () => {
    const appliedOf = (headers: Record<string, string>): [number, number] =>
      String(headers['x-hub-applied']).split('/').map(Number) as [number, number];
    const report = (fields: Partial<InstanceReport> = {}): InstanceReport => ({
      id: randomUUID(),
      role: 'ai-model',
      version: '0',
      host: 'elsewhere',
      started_at: new Date().toISOString(),
      revision: 1,
      source: 'storage',
      confirmed_at: null,
      ...fields,
    });
    const send = (fields: InstanceReport): Promise<unknown> =>
      first.request('post', REPORTS, first.serviceToken).send(fields).expect(204);
    const forget = (id: string): Promise<unknown> =>
      first.request('delete', `${REPORTS}/${id}`, first.serviceToken).expect(204);

    it('waits for one that is late, and no longer', async () => {
      const late = report();
      await send(late);
      let isAnswered = false;
      const answer = second
        .request('post', `${CONFIGS}?wait=applied`)
        .send(aModelConfig())
        .expect(201)
        .then((told) => {
          isAnswered = true;
          return told;
        });
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(isAnswered).toBe(false);
      await send({ ...late, revision: (await whole(first)).revision });
      const [has, all] = appliedOf((await answer).headers);
      expect(has).toBe(all);
      await forget(late.id);
    });

    it('stands, and says so, when one stays behind', async () => {
      const stuck = report();
      const beats = setInterval(() => void send(stuck).catch(() => undefined), 1000);
      await send(stuck);
      const { headers } = await first.request('post', `${CONFIGS}?wait=applied`).send(aModelConfig()).expect(201);
      clearInterval(beats);
      const [has, all] = appliedOf(headers);
      expect({ has, isOneMissing: has === all - 1 }).toEqual({ has, isOneMissing: true });
      await forget(stuck.id);
    });

    it('knows no other wish, and then writes nothing', async () => {
      const body = aModelConfig();
      const answer = await first.request('post', `${CONFIGS}?wait=forever`).send(body).expect(400);
      expect(answer.body).toMatchObject({ code: 'validation_failed', errors: [{ field: 'wait' }] });
      await first.request('get', `${CONFIGS}/by-alias/${String(body.alias)}`).expect(404);
      await first.request('post', `/api/v1/ai-models/import?wait=now`).send({}).expect(400);
    });

    it('reports of nonsense are refused', async () => {
      for (const wrong of [
        { id: 'x' },
        { role: 'storage' },
        { revision: -1 },
        { started_at: 'yesterday' },
        { more: 1 },
      ]) {
        const body = { ...report(), ...wrong };
        await first.request('post', REPORTS, first.serviceToken).send(body).expect(400);
      }
    });
  });
});
