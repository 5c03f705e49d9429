import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { aSnapshotModel } from '../../../test/factories/snapshot-model.js';
import type { Env } from '../../platform/config/env.js';
import { DirectoryState } from './directory-state.js';
import { LAST_KNOWN_GOOD_FILE, LastKnownGood } from './last-known-good.js';
import { SnapshotKeys } from './snapshot-keys.js';

const aKey = (): KeyObject => createSecretKey(randomBytes(32));
const aState = (revision: number): DirectoryState =>
  DirectoryState.of({ revision, models: [aSnapshotModel()], tokens: [], prompts: [], budgets: [] });

describe('what is kept for a start without storage', () => {
  let keys: KeyObject[];
  let home: string;
  let path: string;
  let warnings: string[];
  const open = (): LastKnownGood => new LastKnownGood({ DATA_DIR: home } as Env, new SnapshotKeys(() => keys));
  const revisionInFile = async (): Promise<number | undefined> => (await open().read())?.snapshot.revision;
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    for (const end = Date.now() + 5000; !(await isSo());) {
      if (Date.now() > end) throw new Error('Not so in time');
      await sleep(5);
    }
  };

  beforeEach(() => {
    keys = [aKey()];
    home = mkdtempSync(join(tmpdir(), 'hub-test-kept-'));
    path = join(home, LAST_KNOWN_GOOD_FILE);
    warnings = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: unknown) => void warnings.push(String(message)));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(home, { recursive: true, force: true });
  });

  it('is written at once, then seldom, and what is missing at the end', async () => {
    const kept = open();
    kept.keep(aState(1));
    await until(() => existsSync(path));
    for (let revision = 2; revision <= 20; revision += 1) {
      kept.keep(aState(revision));
      await sleep(5);
    }
    expect(await revisionInFile()).toBe(1);
    expect(kept.behindSeconds).toBeGreaterThan(0);
    await kept.finish(5000);
    expect(await revisionInFile()).toBe(20);
    expect(kept).toMatchObject({ behindSeconds: 0, failedWrites: 0 });
    expect(kept.ageSeconds).toBeLessThan(60);
    expect(warnings).toEqual([]);
  });

  it('is not written again while nothing is new', async () => {
    const kept = open();
    kept.keep(aState(1));
    await until(() => existsSync(path));
    const { ino } = statSync(path);
    for (let times = 0; times < 5; times += 1) kept.keep(aState(1));
    await kept.finish(5000);
    expect(statSync(path).ino).toBe(ino);
    // Nor by the next process.
    const next = open();
    next.keep(aState(1));
    await next.finish(5000);
    expect(statSync(path).ino).toBe(ino);
  });

  it('is sealed anew after the keys were changed, though nothing else is new', async () => {
    const kept = open();
    kept.keep(aState(1));
    await until(() => existsSync(path));
    keys = [aKey(), ...keys];
    kept.keep(aState(1));
    await kept.finish(5000);
    keys = keys.slice(0, 1);
    expect(await revisionInFile()).toBe(1);
  });

  it('is not written any more after the end', async () => {
    const kept = open();
    await kept.finish(5000);
    kept.keep(aState(1));
    await sleep(50);
    expect(existsSync(path)).toBe(false);
  });

  it('costs one warning while it cannot be written, and none of its callers anything', async () => {
    rmSync(home, { recursive: true });
    writeFileSync(home, 'a file where the directory should be');
    const kept = open();
    for (let revision = 1; revision <= 5; revision += 1) {
      kept.keep(aState(revision));
      await sleep(10);
    }
    await kept.finish(5000);
    expect(kept.ageSeconds).toBeNull();
    expect(kept.behindSeconds).toBeGreaterThan(0);
    expect(kept.failedWrites).toBeGreaterThan(0);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/cannot be written \((?:ENOTDIR|EEXIST)\)\. .*make it writable/);
  });

  it('costs one warning that says which file, why, and what follows when it is not to be used', async () => {
    const kept = open();
    kept.keep(aState(1));
    await kept.finish(5000);
    chmodSync(path, 0o644);
    expect(await open().read()).toBeNull();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${path} is not used: others may read or change it`);
    expect(warnings[0]).toContain('as soon as the storage service answers');
  });

  it('is nothing, without a word, before the first time', async () => {
    expect(await open().read()).toBeNull();
    rmSync(home, { recursive: true });
    expect(await open().read()).toBeNull();
    expect(warnings).toEqual([]);
    mkdirSync(home);
  });
});
