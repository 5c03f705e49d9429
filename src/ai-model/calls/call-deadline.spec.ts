import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CallDeadline } from './call-deadline.js';

describe('the deadline of a call', () => {
  it('expires, and is open again for the next model', async () => {
    const deadline = new CallDeadline({ stream: false });
    deadline.begin(20);
    await sleep(40);
    expect(deadline.aborted).toBe(true);
    expect(String(deadline.reason)).toContain('0.02 seconds');
    deadline.begin(5000);
    expect(deadline.aborted).toBe(false);
    expect(deadline.remainingMilliseconds).toBeGreaterThan(4000);
    deadline.clear();
  });

  it('stays ended for a caller who left, whoever is asked next', () => {
    const deadline = new CallDeadline({ stream: false });
    let ends = 0;
    deadline.begin(1000);
    deadline.addEventListener('abort', () => void (ends += 1));
    deadline.abandon();
    deadline.abandon();
    deadline.begin(1000);
    expect([deadline.aborted, ends]).toEqual([true, 1]);
  });

  it('takes a caller who leaves after the time ran out: nobody need be asked any more', async () => {
    const deadline = new CallDeadline({ stream: false });
    deadline.begin(5);
    await sleep(20);
    deadline.abandon();
    deadline.begin(1000);
    expect(deadline.aborted).toBe(true);
  });

  it('wakes who waits when the call ends', async () => {
    const deadline = new CallDeadline({ stream: true });
    deadline.begin(5000);
    const startedAt = performance.now();
    setTimeout(() => deadline.abandon(), 10);
    await deadline.sleep(2000);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    deadline.clear();
  });
});
