// A day of calls with everything that goes wrong in it: exactly what people have to hear, once, also when three processes
// evaluate and the one that is at it is killed again and again.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AlertDay, EXPECTED } from '../support/alert-day.js';
import { toldEvaluator } from '../support/alert-evaluation.js';
import { startHub, type TestHub } from '../support/hub.js';

let hub: TestHub;
let day: AlertDay;

beforeAll(async () => {
  hub = await startHub({ env: { SERVICE_ROLE: 'storage' } });
  day = await AlertDay.begin(hub);
});
afterAll(() => hub.close());

describe('a day of calls', () => {
  it('is told exactly as it was', async () => {
    const evaluator = await toldEvaluator(hub);
    const startedAt = performance.now();
    await day.live((now) => evaluator.evaluateUpTo(now));
    console.log(`1440 minutes in ${Math.round(performance.now() - startedAt)} ms`);
    expect(await day.told()).toEqual(EXPECTED);
  });
});
