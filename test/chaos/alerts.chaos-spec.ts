// A day of calls with everything that goes wrong in it: exactly what people have to hear, once, also when three processes
// evaluate and the one that is at it is killed again and again.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AlertDay, at, EXPECTED } from '../support/alert-day.js';
import { aUsageRecord } from '../factories/usage-record.js';
import { addChannel, inShort, noticesOf, toldEvaluator } from '../support/alert-evaluation.js';
import { saveModel, until } from '../support/calls.js';
import { randomFrom, rounds, seedOf } from '../support/chaos.js';
import { EvaluatorFleet } from '../support/evaluator-fleet.js';
import { startHub, type TestHub } from '../support/hub.js';
import { postUsage } from '../support/statistics.js';

const MINUTES = 1440;
const KILLS = rounds(20, 200);
/** An evaluation takes about as long: so it is killed anywhere in it. */
const LATEST_KILL_MILLISECONDS = 15;

describe('a day of calls', () => {
  let hub: TestHub;
  let day: AlertDay;
  const fleets: EvaluatorFleet[] = [];

  beforeAll(async () => {
    hub = await startHub({ env: { SERVICE_ROLE: 'storage' } });
    day = await AlertDay.begin(hub);
  });
  afterEach(async () => {
    for (const fleet of fleets.splice(0)) await fleet.stop();
  });
  afterAll(() => hub.close());

  const startFleet = async (): Promise<EvaluatorFleet> => {
    const fleet = await EvaluatorFleet.start(hub.database.url, 3);
    fleets.push(fleet);
    return fleet;
  };

  it('is told exactly as it was', async () => {
    const evaluator = await toldEvaluator(hub);
    const startedAt = performance.now();
    await day.live((now) => evaluator.evaluateUpTo(now));
    console.log(`${MINUTES} minutes in ${Math.round(performance.now() - startedAt)} ms`);
    expect(await day.told()).toEqual(EXPECTED);
  });

  it('that was missed is caught up for six hours, and said to be left out before that', async () => {
    await day.begunAnew();
    await hub.database.query('UPDATE alert_evaluation SET evaluated_to = $1', [at(0)]);
    const evaluator = await toldEvaluator(hub);
    await evaluator.evaluateUpTo(new Date(at(MINUTES).getTime() + 15_000));
    expect(await day.told()).toEqual([
      '1081 spend-cheap firing: tag:budget:cheap',
      '1081 storage-degraded firing: hub',
      '1083 own-latency firing: switched',
      '1154 own-latency resolved: switched',
      '1206 error-rate firing: gapped',
      '1224 error-rate resolved: gapped',
      '1380 night firing: alias:daily',
      '1438 storage-degraded resolved: hub',
    ]);
    expect(hub.logs()).toContain('Alerts were not evaluated for too long: the oldest minutes are left out');
  });

  it('is told the same by three processes of which the one that evaluates is killed', async () => {
    const random = randomFrom(seedOf('alerts'));
    await day.begunAnew();
    const fleet = await startFleet();
    const startedAt = performance.now();
    await day.live(async (now, minute) => {
      // As many minutes as are left, and as many kills: each minute has the same chance.
      const isDue = random() < (2 * (KILLS - fleet.kills)) / (MINUTES - minute + 1);
      if (isDue && fleet.kills < KILLS) {
        await fleet.evaluateAndKill(now, at(minute), random() * LATEST_KILL_MILLISECONDS);
      } else await fleet.evaluate(now, at(minute));
    });
    console.log(`${MINUTES} minutes in ${Math.round(performance.now() - startedAt)} ms, ${fleet.kills} kills`);
    expect(fleet.kills).toBe(KILLS);
    expect(await day.told()).toEqual(EXPECTED);
  });

  it('goes on when the process that evaluates stands still, and nothing is told twice', async () => {
    await day.begunAnew();
    await hub.database.query('UPDATE alert_evaluation SET evaluated_to = $1', [at(559)]);
    const fleet = await startFleet();
    let thaw: (() => void) | null = null;
    for (let minute = 560; minute < 640; minute += 1) {
      const now = new Date(at(minute).getTime() + 15_000);
      if (thaw) await fleet.evaluate(now, at(minute));
      else thaw = await fleet.evaluateAndFreeze(now, at(minute));
    }
    expect(thaw).not.toBeNull();
    thaw?.();
    // It finds its transaction gone, and that everything is done.
    await sleep(1000);
    await fleet.evaluate(new Date(at(640).getTime() + 15_000), at(640));
    expect((await day.told()).filter((line) => line.includes('outage'))).toEqual([
      '603 error-rate firing: outage',
      '621 error-rate resolved: outage',
    ]);
  });
});

describe('a hub', () => {
  it('evaluates by itself as soon as its usage can be there, and stops with it', async () => {
    const hub = await startHub({ env: { SERVICE_ROLE: 'storage' } });
    try {
      const { id, alias } = await saveModel(hub);
      await addChannel(hub.database);
      await postUsage(hub, aUsageRecord({ config_id: String(id), alias: String(alias), outcome: 'auth' }));
      const notices = await until(
        () => noticesOf(hub.database),
        (seen) => seen.length > 0,
        30_000,
      );
      expect(notices.map(inShort)).toEqual([`bad-credential firing: ${String(alias)}`]);
      expect(hub.logs()).toContain('"msg":"An alert fires"');
    } finally {
      await hub.close();
    }
  });
});
