import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StorageBreaker } from './storage-breaker.js';
import { StorageBusy, StorageError, StorageNotFound, StorageUnavailable } from './storage-errors.js';

const down = new StorageUnavailable('down');
const absent = new StorageNotFound({ status: 404, code: 'config_not_found', detail: 'no' });

describe('the breaker of the storage client', () => {
  let breaker: StorageBreaker;
  let asked: number;
  beforeEach(() => {
    jest.useFakeTimers();
    asked = 0;
    // Half of the way from 5 to 30 seconds.
    breaker = new StorageBreaker(() => 0.5);
  });
  afterEach(() => {
    breaker.stop();
    jest.useRealTimers();
  });

  const answer = async (error: StorageError | undefined): Promise<string> => {
    asked += 1;
    if (error) throw error;
    return 'ok';
  };
  /** What a call of it ends with: `ok`, or the detail of the error. */
  const call = async (error?: StorageError): Promise<string> => {
    try {
      return await breaker.run(() => answer(error));
    } catch (failure) {
      expect(failure).toBeInstanceOf(StorageError);
      return (failure as StorageError).problem.detail;
    }
  };
  const calls = async (count: number, error?: StorageError): Promise<void> => {
    for (let nth = 0; nth < count; nth += 1) await call(error);
  };
  const REFUSED = 'The storage service fails at the moment; it was not asked.';

  it('opens when half of at least twenty calls of ten seconds failed, and refuses at once', async () => {
    await calls(10);
    await calls(9, down);
    expect(breaker.describe()).toEqual({ status: 'up', breaker: 'closed' });
    expect(await call(down)).toBe('down');
    expect(breaker.describe()).toMatchObject({ status: 'degraded', breaker: 'open' });
    expect(await call()).toBe(REFUSED);
    expect(asked).toBe(20);
  });

  it('stays closed while fewer fail, fewer are made, or they are long ago', async () => {
    await calls(12);
    await calls(11, down);
    expect(breaker.isOpen).toBe(false);
    await jest.advanceTimersByTimeAsync(11_000);
    await calls(19, down);
    expect(breaker.isOpen).toBe(false);
  });

  it('takes what was refused for good reasons, or never sent, for no failure', async () => {
    await calls(30, absent);
    await calls(30, new StorageBusy('full'));
    expect(breaker.isOpen).toBe(false);
  });

  it('lets one through after the pause, and goes on as that one went', async () => {
    await calls(20, down);
    await jest.advanceTimersByTimeAsync(17_400);
    expect(await call()).toBe(REFUSED);
    await jest.advanceTimersByTimeAsync(200);
    expect(breaker.describe()).toMatchObject({ status: 'degraded', breaker: 'half_open' });
    const outcomes = await Promise.all([call(down), call(), call()]);
    expect(outcomes).toEqual(['down', REFUSED, REFUSED]);
    await jest.advanceTimersByTimeAsync(17_600);
    expect(await call()).toBe('ok');
    expect(breaker.describe()).toEqual({ status: 'up', breaker: 'closed' });
    expect(await call()).toBe('ok');
  });

  it('closes at once when somebody who went past it was answered', async () => {
    await calls(20, down);
    breaker.close();
    expect(await call()).toBe('ok');
  });

  it.each([
    [0, 5000],
    [0.999, 29_975],
  ])('waits between 5 and 30 seconds: with %d for %d ms', async (random, pause) => {
    breaker.stop();
    breaker = new StorageBreaker(() => random);
    await calls(20, down);
    await jest.advanceTimersByTimeAsync(pause - 50);
    expect(breaker.describe()).toMatchObject({ breaker: 'open' });
    await jest.advanceTimersByTimeAsync(100);
    expect(breaker.describe()).toMatchObject({ breaker: 'half_open' });
  });
});
