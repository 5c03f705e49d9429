import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ScheduledTests } from '../src/ai-model/connection-test/scheduled-tests.js';
import type { ConnectionTestGrant } from '../src/contract/connection-test.contract.js';
import { aChat, call, type Json, readModel, saveModel, usageAfter, usageOf } from './support/calls.js';
import { type FakeProvider, politeScript, sendJson, startFakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';

const CLAIMS = '/internal/v1/connection-tests';

describe('scheduled connection tests', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    provider = await startFakeProvider();
    hub = await startHub({ env: { CONNECTION_TEST_INTERVAL_MINUTES: '60', CONNECTION_TESTS_PER_DAY: '30' } });
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });
  beforeEach(async () => {
    provider.calls.length = 0;
    provider.answerWith(politeScript);
    await hub.database.query('DELETE FROM ai_model_configs');
    await hub.database.query('UPDATE scheduled_tests SET holder = NULL, held_until = NULL, used = 0');
  });

  const save = (fields: Json = {}): Promise<Json> => saveModel(hub, { api_base: provider.url, ...fields });
  const claim = async (holder: string, fields: Json = {}): Promise<string[]> => {
    const body = { holder, interval_minutes: 60, per_day: 30, providers: ['openai_compatible'], ...fields };
    const answer = await hub.request('post', CLAIMS, hub.serviceToken).send(body).expect(200);
    return (answer.body as ConnectionTestGrant).config_ids;
  };
  const run = (): Promise<number> => hub.application.nest.get(ScheduledTests).run();
  const letTimePass = (interval: string): Promise<unknown> =>
    hub.database.query(`UPDATE usage_minutes SET start = start - interval '${interval}'`);

  it('test what nobody has called, once in an interval, and set its status', async () => {
    provider.answerWith((_received, response) => sendJson(response, 401, { error: { message: 'Revoked' } }));
    const { id } = await save();
    expect(await run()).toBe(1);
    expect(await usageAfter(hub, id, 1)).toMatchObject([{ source: 'test', outcome: 'auth', calls: 1 }]);
    expect(await readModel(hub, id)).toMatchObject({ status: 'error', is_enabled: true });
    expect(await run()).toBe(0);
    expect(provider.calls.filter(({ path }) => path.endsWith('/completions'))).toHaveLength(1);
    expect(hub.logs()).toContain('A scheduled connection test failed');
    // The key works again: the next test finds out.
    provider.answerWith(politeScript);
    await letTimePass('2 hours');
    expect(await run()).toBe(1);
    expect(await readModel(hub, id)).toMatchObject({ status: 'configured' });
  });

  it('take a call that went well for a test, and one that failed not', async () => {
    const [good, bad] = [await save(), await save()];
    await call(hub, aChat(good['alias']));
    provider.answerWith((_received, response) => sendJson(response, 500, { error: { message: 'No' } }));
    await call(hub, aChat(bad['alias']));
    await Promise.all([usageAfter(hub, good['id'], 1), usageAfter(hub, bad['id'], 1)]);
    expect(await claim(randomUUID())).toEqual([bad['id']]);
  });

  it('leave out what cannot be called', async () => {
    await save({ is_enabled: false });
    await save({ api_key: null });
    await save({ provider: 'local', is_local: true });
    expect(await claim(randomUUID())).toEqual([]);
    expect(await claim(randomUUID(), { providers: ['local'] })).toEqual([]);
  });

  it('are done by one process, until it is gone', async () => {
    const { id } = await save();
    const [first, second] = [randomUUID(), randomUUID()];
    expect(await claim(first)).toEqual([id]);
    expect(await claim(second)).toEqual([]);
    expect(await claim(first)).toEqual([id]);
    await hub.database.query(`UPDATE scheduled_tests SET held_until = now() - interval '1 second'`);
    expect(await claim(second)).toEqual([id]);
    expect(await claim(first)).toEqual([]);
  });

  it('of several that ask at the same moment, one is given them', async () => {
    const { id } = await save();
    const granted = await Promise.all(Array.from({ length: 8 }, () => claim(randomUUID())));
    expect(granted.filter((ids) => ids.length > 0)).toEqual([[id]]);
  });

  it('are no more in a day than allowed, and as many again on the next', async () => {
    for (const priority of [1, 2, 3]) await save({ alias: `budget-${priority}`, priority });
    const holder = randomUUID();
    const aliasOf = async (ids: string[]): Promise<unknown[]> =>
      Promise.all(ids.map(async (id) => (await readModel(hub, id))['alias']));
    expect(await aliasOf(await claim(holder, { per_day: 2 }))).toEqual(['budget-3', 'budget-2']);
    expect(await claim(holder, { per_day: 2 })).toEqual([]);
    expect(await aliasOf(await claim(holder, { per_day: 3 }))).toEqual(['budget-3']);
    await hub.database.query(`UPDATE scheduled_tests SET day = day - 1`);
    expect(await claim(holder, { per_day: 2 })).toHaveLength(2);
  });

  it('go on, twenty at a time, until nothing is due or the day is used up', async () => {
    await Promise.all(Array.from({ length: 35 }, () => save()));
    expect(await run()).toBe(30);
    expect(provider.calls).toHaveLength(30);
    expect(await run()).toBe(0);
  });

  it.each([
    [{ holder: 'me' }, 'holder'],
    [{ per_day: 0 }, 'per_day'],
    [{ interval_minutes: 1.5 }, 'interval_minutes'],
    [{ providers: ['acme'] }, 'providers'],
  ])('are not handed out to who asks with %j', async (fields, field) => {
    const body = { holder: randomUUID(), interval_minutes: 60, per_day: 1, providers: [], ...fields };
    const answer = await hub.request('post', CLAIMS, hub.serviceToken).send(body).expect(400);
    expect(answer.body).toMatchObject({ code: 'validation_failed', errors: [{ field }] });
  });
});

describe('a hub that nobody told to test', () => {
  it('sends nothing, and asks for nothing', async () => {
    const provider = await startFakeProvider();
    const hub = await startHub();
    try {
      const { id } = await saveModel(hub, { api_base: provider.url });
      const tests = hub.application.nest.get(ScheduledTests);
      expect([tests.isOn, await tests.run()]).toEqual([false, 0]);
      expect(provider.calls).toEqual([]);
      expect(await usageOf(hub, id)).toEqual([]);
      expect(await hub.database.query('SELECT holder FROM scheduled_tests')).toEqual([{ holder: null }]);
    } finally {
      await hub.close();
      await provider.close();
    }
  });
});
