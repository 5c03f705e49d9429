import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { ModelDirectory } from '../model-directory/model-directory.js';
import type { UsageBuffer } from '../usage/usage-buffer.js';
import { ConnectionTestService, type TestAsker } from './connection-test.service.js';
import type { ConnectionTester, Finding } from './connection-tester.js';

const GOOD: Finding = { failure: null, proven: ['address', 'model'], milliseconds: 1 };
const ASKER = { asker: {}, left: new AbortController().signal, language: 'en' } as unknown as TestAsker;

const someModels = (count: number): SnapshotModel[] =>
  Array.from(
    { length: count },
    (_, index) =>
      ({
        id: randomUUID(),
        alias: `m${index}`,
        provider: 'openai',
        model_name: 'm',
        api_base: null,
        is_enabled: true,
      }) as SnapshotModel,
  );

/** The service around a tester that answers as it is told. */
const serviceOf = (models: SnapshotModel[], test: () => Promise<Finding>): ConnectionTestService =>
  new ConnectionTestService(
    { models: () => models, requireCurrent: () => Promise.resolve() } as unknown as ModelDirectory,
    { test } as unknown as ConnectionTester,
    { sendSoon: () => Promise.resolve() } as unknown as UsageBuffer,
  );

describe('testing many models', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('ends with two hundred, and names those that are left', async () => {
    const models = someModels(250);
    const answer = await serviceOf(models, () => Promise.resolve(GOOD)).testMany({ all: true }, ASKER);
    expect(answer).toMatchObject({ total: 200, succeeded: 200, failed: 0, not_found: [] });
    expect(answer.not_tested).toEqual(models.slice(200).map(({ id }) => id));
  });

  it('begins no test when two minutes are over', async () => {
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const models = someModels(9);
    const slow = (): Promise<Finding> => {
      now += 30_000;
      return Promise.resolve(GOOD);
    };
    const answer = await serviceOf(models, slow).testMany({ all: true }, ASKER);
    expect(answer.total).toBe(4);
    expect(answer.not_tested).toHaveLength(5);
  });

  it('lets one more request wait, and no third', async () => {
    const ends: (() => void)[] = [];
    const service = serviceOf(someModels(1), () => new Promise((resolve) => ends.push(() => resolve(GOOD))));
    const [first, second] = [service.testMany({ all: true }, ASKER), service.testMany({ all: true }, ASKER)];
    await expect(service.testMany({ all: true }, ASKER)).rejects.toMatchObject({ code: 'too_busy' });
    await expect(service.testMany({ all: true }, ASKER)).rejects.toBeInstanceOf(AppError);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toHaveLength(1);
    ends[0]?.();
    expect((await first).total).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    ends[1]?.();
    expect((await second).total).toBe(1);
  });
});
