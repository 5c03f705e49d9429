// Two storage and four AI model processes on one database: what was changed through any of them is soon true in all, whatever
// breaks in between.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { INSTANCE_GONE_MILLISECONDS } from '../../src/contract/instance.contract.js';
import { aChat, until, type Json } from '../support/calls.js';
import { percentile, randomFrom, rounds, seedOf } from '../support/chaos.js';
import { CHANGES_PATH, Fleet } from '../support/fleet.js';
import { CONFIGS } from '../support/hub.js';
import { RevisionRecord } from '../support/revision-record.js';
import { saidIn, startSteadyLoad, type Entry, type SteadyLoad } from '../support/steady-load.js';

const PUSHED_MILLISECONDS = 1000;
const POLL_MILLISECONDS = 2000;
const POLLED_MILLISECONDS = POLL_MILLISECONDS + 1000;
const RECOVERY_MILLISECONDS = 5000;
const CHANGES = rounds(200, 500);
const CHANGES_WITHOUT_PUSH = rounds(40, 500);
const DELETED = rounds(100, 500);
const CUTS = rounds(20, 200);
/** Models that are changed side by side, where a change takes seconds. */
const LANES = 5;
const CALLS_PER_SECOND = 20;
const KILL_LISTENERS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = 'ai-model-hub listener' AND datname = current_database()`;

const inTurn = (count: number): number[] => Array.from({ length: count }, (_, number) => number);
const median = (values: readonly number[]): number => percentile(values, 0.5);

describe('a fleet of 2 storage and 4 AI model processes', () => {
  const random = randomFrom(seedOf('fleet'));
  let fleet: Fleet;
  let record: RevisionRecord;
  /** Called all the time while something breaks. */
  let steady: Json;

  beforeAll(async () => {
    fleet = await Fleet.start();
    record = new RevisionRecord(fleet);
    steady = await fleet.createModel(0, { model_name: 'steady' });
    await fleet.untilAllCurrent(20_000);
  });
  afterAll(async () => {
    record.stop();
    await fleet.close();
  });

  const everybody = (): number[] => inTurn(fleet.callers.length);
  const startLoad = (): SteadyLoad =>
    startSteadyLoad(CALLS_PER_SECOND, (nth) => ({
      kind: fleet.caller(nth).member.name,
      answer: fleet.ask(nth, aChat(steady['alias'])),
    }));
  const notServed = (entries: readonly Entry[]): Entry[] =>
    entries.filter(({ status, said }) => status !== 200 || said !== 'steady');

  /** Milliseconds until calls through this process are answered by the new state. */
  const untilCalled = async (
    caller: number,
    alias: unknown,
    expected: unknown,
    { pause = 25, since = performance.now() } = {},
  ): Promise<number> => {
    for (;;) {
      const said = saidIn(await fleet.ask(caller, aChat(alias)));
      const milliseconds = performance.now() - since;
      if (said === expected) return milliseconds;
      if (milliseconds > 15_000) throw new Error(`caller ${caller}: ${String(said)} instead of ${String(expected)}`);
      await sleep(pause);
    }
  };
  /** Changes a model through a storage process; milliseconds from the request until each process calls it by the change. */
  const change = async (model: Json, nth: number, pause?: number): Promise<number[]> => {
    const since = performance.now();
    const name = `name-${nth}`;
    const { status } = await fleet.send(nth, 'PUT', `${CONFIGS}/${String(model['id'])}`, { model_name: name });
    expect(status).toBe(200);
    const options = { since, ...(pause !== undefined && { pause }) };
    return Promise.all(everybody().map((caller) => untilCalled(caller, model['alias'], name, options)));
  };
  const changeInLanes = async (count: number): Promise<number[]> => {
    const models = await Promise.all(inTurn(LANES).map((lane) => fleet.createModel(lane)));
    await fleet.untilAllCurrent();
    const work = async (model: Json, lane: number): Promise<number[]> => {
      const times: number[] = [];
      for (let nth = lane; nth < count; nth += LANES) times.push(...(await change(model, nth, 100)));
      return times;
    };
    return (await Promise.all(models.map(work))).flat();
  };
  const report = (what: string, times: readonly number[]): void => {
    const [p50, p99, most] = [median(times), percentile(times, 0.99), Math.max(...times)].map(Math.round);
    console.log(`${what}: p50 ${p50} ms, p99 ${p99} ms, max ${most} ms of ${times.length}`);
  };

  const cutPush = (): void => fleet.callers.forEach(({ gate }) => gate.refuse(CHANGES_PATH));
  /** Until changes are pushed again: each process comes back by itself. */
  const restorePush = async (): Promise<void> => {
    for (const { gate } of fleet.callers) gate.refuse(null);
    await sleep(RECOVERY_MILLISECONDS / 2);
  };
  const withoutPush = async (work: () => Promise<void>): Promise<void> => {
    const before = fleet.callers.map(({ gate }) => gate.refused());
    cutPush();
    try {
      await work();
    } finally {
      await restorePush();
    }
    // Each of them tried, and was refused.
    fleet.callers.forEach(({ gate }, caller) => expect(gate.refused()).toBeGreaterThan(before[caller] as number));
  };

  it(`answers by a change everywhere within a second, ${CHANGES} times`, async () => {
    const model = await fleet.createModel(0);
    await fleet.untilAllCurrent();
    const slowest: number[] = [];
    for (const nth of inTurn(CHANGES)) slowest.push(Math.max(...(await change(model, nth))));
    report('everywhere, pushed', slowest);
    expect(percentile(slowest, 0.99)).toBeLessThanOrEqual(PUSHED_MILLISECONDS);
  });

  it('finds changes by asking when the stream that announces them is cut', async () => {
    await withoutPush(async () => {
      const times = await changeInLanes(CHANGES_WITHOUT_PUSH);
      report('in a process, stream cut', times);
      expect(percentile(times, 0.99)).toBeLessThanOrEqual(POLLED_MILLISECONDS);
      // Or something else told them.
      expect(median(times)).toBeGreaterThan(POLL_MILLISECONDS / 5);
    });
  });

  it('finds changes by looking while the database cuts those who listen to it, again and again', async () => {
    const model = await fleet.createModel(0);
    let cut = 0;
    const cutListeners = async (): Promise<void> => {
      const gone = await fleet.database.query(KILL_LISTENERS).catch(() => []);
      cut += gone.length;
    };
    const cutting = setInterval(() => void cutListeners(), 100);
    const slowest: number[] = [];
    for (const nth of inTurn(rounds(20, 100))) slowest.push(Math.max(...(await change(model, nth))));
    clearInterval(cutting);
    console.log(`listeners were cut ${cut} times`);
    expect(cut).toBeGreaterThanOrEqual(slowest.length / 2);
    report('everywhere, NOTIFY cut', slowest);
    expect(percentile(slowest, 0.99)).toBeLessThanOrEqual(POLLED_MILLISECONDS);
  });

  /** Of a model that was deleted with `?wait=applied`: what calls say at once. */
  const deleteAndCall = async (nth: number): Promise<unknown[]> => {
    const model = await fleet.createModel(nth, {}, '?wait=applied');
    const before = await Promise.all(everybody().map((caller) => fleet.ask(caller, aChat(model['alias']))));
    expect(before.map(({ status }) => status)).toEqual(everybody().map(() => 200));
    const { status, headers } = await fleet.send(nth, 'DELETE', `${CONFIGS}/${String(model['id'])}?wait=applied`);
    const after = await Promise.all(everybody().map((caller) => fleet.ask(caller, aChat(model['alias']))));
    expect([status, headers.get('x-hub-applied')]).toEqual([204, '4/4']);
    return after.map((answer) => `${answer.status} ${String(answer.error['code'])}`);
  };
  const NOWHERE = ['404 model_not_found'];

  it(`calls nothing that was deleted with ?wait=applied, ${DELETED} times`, async () => {
    const answers = new Set<unknown>();
    const startedAt = performance.now();
    for (const nth of inTurn(DELETED)) for (const answer of await deleteAndCall(nth)) answers.add(answer);
    console.log(`${DELETED} rounds, ${Math.round((performance.now() - startedAt) / DELETED)} ms each`);
    expect([...answers]).toEqual(NOWHERE);
  });

  it('nor when the stream that announces changes is cut', async () => {
    await withoutPush(async () => {
      const answers = new Set<unknown>();
      for (const batch of inTurn(rounds(2, 10))) {
        const rounds = inTurn(10).map((nth) => deleteAndCall(batch * 10 + nth));
        for (const answer of (await Promise.all(rounds)).flat()) answers.add(answer);
      }
      expect([...answers]).toEqual(NOWHERE);
    });
  });

  it('calls at once what was created through another process, pushed or not', async () => {
    const createAndCall = async (nth: number): Promise<void> => {
      const { alias } = await fleet.createModel(nth);
      const answers = await Promise.all(everybody().map((caller) => fleet.ask(caller, aChat(alias))));
      expect(answers.map(({ status }) => status)).toEqual(everybody().map(() => 200));
    };
    for (const nth of inTurn(rounds(20, 100))) await createAndCall(nth);
    await withoutPush(async () => {
      // Nobody asks what he is told anyway: long enough for each to be refused.
      await sleep(POLL_MILLISECONDS);
      for (const nth of inTurn(rounds(20, 100))) await createAndCall(nth);
    });
  });

  it('says how many have a change while one does not answer, and that one catches up', async () => {
    const model = await fleet.createModel(0, {}, '?wait=applied');
    const { member } = fleet.caller(3);
    member.freeze();
    const startedAt = performance.now();
    const { headers } = await fleet.send(1, 'DELETE', `${CONFIGS}/${String(model['id'])}?wait=applied`);
    const waited = performance.now() - startedAt;
    const others = await Promise.all([0, 1, 2].map((caller) => fleet.ask(caller, aChat(model['alias']))));
    member.thaw();
    const caughtUp = await untilCalled(3, model['alias'], 'model_not_found');
    console.log(
      `waited ${Math.round(waited)} ms for a frozen process, which was current ${Math.round(caughtUp)} ms later`,
    );
    expect(headers.get('x-hub-applied')).toBe('3/4');
    expect(waited).toBeLessThanOrEqual(INSTANCE_GONE_MILLISECONDS);
    expect(others.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(caughtUp).toBeLessThanOrEqual(POLLED_MILLISECONDS);
  });

  it(`is of one mind after its connections were cut ${CUTS} times during writes, and serves calls meanwhile`, async () => {
    const model = await fleet.createModel(0);
    await fleet.untilAllCurrent();
    const load = startLoad();
    const over = new AbortController();
    let written = 0;
    const writing = (async () => {
      while (!over.signal.aborted) {
        written += 1;
        const body = { model_name: `name-${written}` };
        const { status } = await fleet.send(written, 'PUT', `${CONFIGS}/${String(model['id'])}`, body);
        expect(status).toBe(200);
        await sleep(20);
      }
    })();
    for (const _cut of inTurn(CUTS)) {
      const chosen = fleet.callers.filter(() => random() < 0.5);
      for (const { wire } of chosen) wire.set({ line: 'down' });
      await sleep(random() * 400);
      for (const { wire } of chosen) wire.set({ line: 'open' });
      await sleep(random() * 400);
    }
    over.abort();
    await writing;
    const restoredAt = performance.now();
    const revision = await fleet.untilAllCurrent();
    const after = Math.round(performance.now() - restoredAt);
    const entries = await load.stop();
    console.log(
      `${CUTS} cuts, ${written} writes: all at ${revision} ${after} ms after the last; ${entries.length} calls`,
    );
    expect(after).toBeLessThanOrEqual(RECOVERY_MILLISECONDS);
    expect(notServed(entries)).toEqual([]);
    for (const caller of everybody()) {
      expect(saidIn(await fleet.ask(caller, aChat(model['alias'])))).toBe(`name-${written}`);
    }
  });

  it('is current within five seconds after a storage process that was killed is there again', async () => {
    const model = await fleet.createModel(1);
    await fleet.untilAllCurrent();
    const times: number[] = [];
    const load = startLoad();
    for (const round of inTurn(rounds(2, 20))) {
      const killed = fleet.storage(round);
      await killed.stop('SIGKILL');
      const [name, path] = [`after-${round}`, `${CONFIGS}/${String(model['id'])}`];
      // Through the other one.
      const { status } = await fleet.send(round + 1, 'PUT', path, { model_name: name });
      expect(status).toBe(200);
      // As long as an outage is: the callers have given up asking at once.
      await sleep(3000);
      await killed.start();
      const since = performance.now();
      const all = everybody().map((caller) => untilCalled(caller, model['alias'], name, { since, pause: 20 }));
      times.push(...(await Promise.all(all)));
    }
    const entries = await load.stop();
    report('current after the start of a killed storage process', times);
    expect(Math.max(...times)).toBeLessThanOrEqual(RECOVERY_MILLISECONDS);
    expect(notServed(entries)).toEqual([]);
    await fleet.untilAllCurrent();
  });

  it('forgets a process that was killed within seven seconds, and knows it again after a start', async () => {
    const { member } = fleet.caller(2);
    const listed = async (): Promise<string[]> =>
      (await fleet.instances()).instances.filter(({ role }) => role === 'ai-model').map(({ id }) => id);
    const before = await listed();
    expect(before).toHaveLength(4);
    await member.stop('SIGKILL');
    const since = performance.now();
    const left = await until(listed, (ids) => ids.length === 3, 10_000);
    const gone = performance.now() - since;
    await member.start();
    await fleet.untilAllCurrent();
    const after = await listed();
    console.log(`not listed ${Math.round(gone)} ms after its end`);
    expect(gone).toBeLessThanOrEqual(INSTANCE_GONE_MILLISECONDS + 1000);
    expect(after.filter((id) => left.includes(id))).toHaveLength(3);
    expect(after.filter((id) => !before.includes(id))).toHaveLength(1);
  });

  it('calls nothing any more after the last model was deleted', async () => {
    const { body } = await fleet.send(0, 'GET', `${CONFIGS}?limit=1000`);
    const models = body['models'] as Json[];
    expect(models.length).toBeGreaterThan(1);
    for (const { id } of models.slice(1)) await fleet.send(0, 'DELETE', `${CONFIGS}/${String(id)}`);
    const [last] = models as [Json];
    await fleet.send(1, 'DELETE', `${CONFIGS}/${String(last['id'])}?wait=applied`);
    for (const caller of everybody()) {
      const { status, error } = await fleet.ask(caller, aChat(last['alias']));
      expect([status, error['code']]).toEqual([404, 'model_not_found']);
    }
  });

  it('never knew less than before, and showed no secret', () => {
    console.log(`${record.samples} looks at revisions`);
    expect(record.samples).toBeGreaterThan(100);
    expect(record.steps).toBeGreaterThan(100);
    expect(record.backwards).toEqual([]);
    expect(fleet.scan()).toEqual([]);
  });
});
