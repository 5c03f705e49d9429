// Four AI model processes and two storage processes on one database: a budget of a dollar, and calls of a cent.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addChannel, aBudget, BUDGETS, CENT_PRICES, CENT_USAGE, noticesOf } from '../support/budgets.js';
import { aChat, elapsed, until, type Json } from '../support/calls.js';
import { percentile, randomFrom, rounds, seedOf } from '../support/chaos.js';
import { sendJson, wholeAnswer } from '../support/fake-provider.js';
import { Fleet } from '../support/fleet.js';
import { startSteadyLoad } from '../support/steady-load.js';

const CALLS_PER_SECOND = 40;
const BUDGET_CALLS = 100;
/** Calls are gathered for a second, and looked at within a second; the rest is how long a change takes to be everywhere. */
const DELAY_MILLISECONDS = 2000;
const POLL_MILLISECONDS = 2000;
const ROUNDS = rounds(2, 20);
const KILLS = rounds(2, 20);

/** What became of the calls, in the order of their answers. */
interface Ledger {
  paidAt: number[];
  refusedAt: number[];
  /** By AI model process: its last answers were refusals. */
  isRefusing: boolean[];
  others: string[];
}

describe('a budget of a dollar, calls of a cent, and 4 AI model processes', () => {
  const random = randomFrom(seedOf('budgets'));
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start();
    fleet.provider.answerWith((asked, response) => {
      fleet.provider.calls.length = 0;
      sendJson(response, 200, wholeAnswer(String(asked.body['model']), CENT_USAGE));
    });
    await addChannel(fleet.database);
  });
  afterAll(() => fleet.close());

  const save = async (): Promise<{ model: Json; budget: Json }> => {
    const model = await fleet.createModel(0, CENT_PRICES);
    const fields = aBudget({ scope: 'alias', scope_value: model['alias'], action: 'refuse' });
    const { status, body } = await fleet.send(1, 'POST', `${BUDGETS}?wait=applied`, fields);
    expect(status).toBe(201);
    await fleet.untilAllCurrent(20_000);
    return { model, budget: body };
  };
  const read = async (budget: Json): Promise<Json> =>
    (await fleet.send(1, 'GET', `${BUDGETS}/${String(budget['id'])}`)).body;

  /** Calls through all processes in turn until each of them refuses; `meanwhile` runs beside. */
  const callUntilRefused = async (
    model: Json,
    meanwhile: () => Promise<void> = async () => undefined,
  ): Promise<Ledger> => {
    const ledger: Ledger = { paidAt: [], refusedAt: [], isRefusing: fleet.callers.map(() => false), others: [] };
    const note = (caller: number, status: number, code: unknown): void => {
      ledger.isRefusing[caller] = status === 429;
      if (status === 200) ledger.paidAt.push(performance.now());
      else if (status === 429 && code === 'budget_exceeded') ledger.refusedAt.push(performance.now());
      else ledger.others.push(`${status} ${String(code)}`);
    };
    const load = startSteadyLoad(CALLS_PER_SECOND, (nth) => {
      const caller = nth % fleet.callers.length;
      const answer = fleet.ask(caller, aChat(model['alias']));
      void answer.then(({ status, error }) => note(caller, status, error['code'])).catch(() => undefined);
      return { kind: String(caller), answer };
    });
    try {
      await meanwhile();
      await until(
        () => ledger.isRefusing,
        (all) => all.every(Boolean),
        30_000,
      );
    } finally {
      await load.stop();
    }
    return ledger;
  };

  /** Every call that was answered is in the sum, once. */
  const untilAllCounted = async (budget: Json, calls: number): Promise<void> => {
    const spent = await until(
      () => read(budget),
      (view) => view['spent_usd'] === calls / 100,
      20_000,
    );
    expect(spent).toMatchObject({ exhausted: true, unpriced_calls: 0 });
  };
  const thresholdsOf = async (budget: Json): Promise<number[]> =>
    (await noticesOf(fleet.database, budget)).map((notice) => notice.budget.threshold);
  const expectToldOnce = (thresholds: number[]): void => {
    // Where both are reached between two looks, the higher one alone is told.
    expect(thresholds.at(-1)).toBe(100);
    expect([[80, 100], [100]]).toContainEqual(thresholds);
  };

  it(`is refused soon after the hundredth everywhere, ${ROUNDS} times, and goes on with a raised limit`, async () => {
    const late: number[] = [];
    const overshoots: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { model, budget } = await save();
      // What a change takes to be everywhere just now: a write that waits for it.
      const applied = await elapsed(() =>
        fleet.send(0, 'POST', `${BUDGETS}?wait=applied`, aBudget({ limit_usd: 1000 })),
      );
      const { paidAt, others } = await callUntilRefused(model);
      expect(others).toEqual([]);
      paidAt.sort((a, b) => a - b);
      const milliseconds = Math.round((paidAt.at(-1) as number) - (paidAt[BUDGET_CALLS - 1] as number));
      late.push(milliseconds);
      overshoots.push(paidAt.length - BUDGET_CALLS);
      expect(milliseconds).toBeLessThan(DELAY_MILLISECONDS + POLL_MILLISECONDS + 5 * applied.milliseconds);
      await untilAllCounted(budget, paidAt.length);
      expectToldOnce(await thresholdsOf(budget));
      const raised = await fleet.send(1, 'PUT', `${BUDGETS}/${String(budget['id'])}?wait=applied`, { limit_usd: 1000 });
      expect([raised.status, raised.headers.get('x-hub-applied')]).toEqual([200, '4/4']);
      const statuses = await Promise.all(fleet.callers.map((_caller, nth) => fleet.ask(nth, aChat(model['alias']))));
      expect(statuses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    }
    console.log(
      `budgets: overshoot ${overshoots.join(', ')} calls of ${BUDGET_CALLS} at ${CALLS_PER_SECOND} calls/s; ` +
        `the last paid call came ${late.join(', ')} ms after the hundredth (p50 ${percentile(late, 0.5)} ms)`,
    );
  });

  it(`is told once and counted to the cent while storage processes are killed, ${KILLS} times`, async () => {
    const overshoots: number[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const { model, budget } = await save();
      const storage = fleet.storage(random() < 0.5 ? 0 : 1);
      const { paidAt, others } = await callUntilRefused(model, async () => {
        // From well before the first threshold until after the refusal.
        await sleep(500 + random() * 3500);
        await storage.stop('SIGKILL');
        await sleep(random() * 1000);
        await storage.start();
      });
      expect(others).toEqual([]);
      overshoots.push(paidAt.length - BUDGET_CALLS);
      await untilAllCounted(budget, paidAt.length);
      expectToldOnce(
        await until(
          () => thresholdsOf(budget),
          (thresholds) => thresholds.includes(100),
        ),
      );
    }
    console.log(`budgets: overshoot with a storage process killed: ${overshoots.join(', ')} calls of ${BUDGET_CALLS}`);
  });
});
