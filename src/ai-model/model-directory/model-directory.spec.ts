// The directory against a storage service that is a list in memory: whatever it tells of what changed, in whatever order
// and with whatever failures in between, the directory ends where the whole snapshot is.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import * as fc from 'fast-check';
import { aSnapshotModel } from '../../../test/factories/snapshot-model.js';
import type { Snapshot, SnapshotDifference } from '../../contract/snapshot.contract.js';
import { HealthRegistry } from '../../platform/health/health-registry.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { StorageUnavailable } from '../storage-client/storage-errors.js';
import type { StorageServiceClient } from '../storage-client/storage-service.client.js';
import type { DirectoryState } from './directory-state.js';
import type { LastKnownGood } from './last-known-good.js';
import { ModelDirectory } from './model-directory.js';
import type { SavedSnapshot } from './snapshot-file.js';

const NO_IDS = { models: [], tokens: [], prompts: [] };
const NOTHING = { ...NO_IDS, budgets: [] };

/** How storage answers: as it should, not at all, whole although asked for less, without a removal, or with an older one. */
type Mood = 'good' | 'away' | 'whole' | 'forgetful' | 'older';

/** A storage service that remembers every revision. */
class World {
  mood: Mood = 'good';
  readonly asked: ('whole' | number)[] = [];
  private readonly history: Snapshot[] = [{ revision: 100, ...NOTHING }];

  get newest(): Snapshot {
    return this.history.at(-1) as Snapshot;
  }

  /** Creates, changes or renames the model of this number, or deletes it where there is one. */
  change(number: number, act: 'save' | 'delete', version: number): void {
    const { revision, models } = this.newest;
    const others = models.filter(({ id }) => id !== `id-${number}`);
    const alias = `alias-${(number * 7 + version) % 11}`;
    // An alias is free, or its owner loses it: as if he had been renamed before.
    const free = others.filter((model) => model.alias !== alias);
    const saved = act === 'save' ? [aSnapshotModel({ id: `id-${number}`, alias, version })] : [];
    this.history.push({ ...this.newest, revision: revision + 1, models: [...free, ...saved] });
  }

  getSnapshot = (): Promise<Snapshot | null> => {
    this.asked.push('whole');
    return this.mood === 'away' ? Promise.reject(new StorageUnavailable('no')) : Promise.resolve(copy(this.newest));
  };

  getSnapshotSince = (since: number): Promise<Snapshot | SnapshotDifference | null> => {
    this.asked.push(since);
    if (this.mood === 'away') return Promise.reject(new StorageUnavailable('no'));
    if (this.mood === 'older') return Promise.resolve(copy({ revision: since - 1, ...NOTHING }));
    if (since === this.newest.revision) return Promise.resolve(null);
    const known = this.history.find(({ revision }) => revision === since);
    return Promise.resolve(copy(known && this.mood !== 'whole' ? this.difference(known) : this.newest));
  };

  private difference({ revision: since, models: old }: Snapshot): SnapshotDifference {
    const { revision, models } = this.newest;
    const before = new Map(old.map((model) => [model.id, JSON.stringify(model)]));
    const gone = old.map(({ id }) => id).filter((id) => !models.some((model) => model.id === id));
    return {
      since,
      revision,
      ...NOTHING,
      models: models.filter((model) => before.get(model.id) !== JSON.stringify(model)),
      removed: { ...NO_IDS, models: this.mood === 'forgetful' ? [] : gone },
      totals: { models: models.length, tokens: 0, prompts: 0 },
    };
  }
}

const copy = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

interface Started {
  directory: ModelDirectory;
  kept: DirectoryState[];
  news: () => number;
}

const start = (world: World, saved: SavedSnapshot | null = null): Started => {
  const kept: DirectoryState[] = [];
  const lastKnownGood = {
    read: () => Promise.resolve(saved),
    keep: (state: DirectoryState) => void kept.push(state),
    finish: () => Promise.resolve(),
  } as unknown as LastKnownGood;
  const storage = {
    getSnapshot: world.getSnapshot,
    getSnapshotSince: world.getSnapshotSince,
    watchRevision: (_onRevision: unknown, signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
  } as unknown as StorageServiceClient;
  const address = new ListenAddress();
  const directory = new ModelDirectory(storage, lastKnownGood, address, new HealthRegistry());
  let news = 0;
  directory.onNews(() => (news += 1));
  directory.onModuleInit();
  address.set('http://127.0.0.1:1');
  return { directory, kept, news: () => news };
};

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
const modelsOf = (directory: ModelDirectory): unknown[] => [...directory.models()].sort(byId);
/** As the poll would: also after storage was away, which `catchUp` does not ask again. */
const refresh = (directory: ModelDirectory): Promise<void> =>
  (directory as unknown as { refreshes: { runFromNow(): Promise<void> } }).refreshes.runFromNow();

describe('the directory', () => {
  const directories: ModelDirectory[] = [];
  const run = (world: World, saved: SavedSnapshot | null = null): Started => {
    const started = start(world, saved);
    directories.push(started.directory);
    return started;
  };
  let warnings: unknown[];
  beforeEach(() => {
    warnings = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: unknown) => void warnings.push(message));
    jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await Promise.all(directories.splice(0).map((directory) => directory.stop()));
  });

  it('ends where the whole snapshot is, after any sequence of changes, differences and failures', async () => {
    const step = fc.record({
      number: fc.integer({ min: 0, max: 8 }),
      act: fc.constantFrom('save' as const, 'save' as const, 'delete' as const),
      version: fc.integer({ min: 1, max: 20 }),
      mood: fc.constantFrom<Mood>('good', 'good', 'good', 'away', 'whole', 'forgetful', 'older'),
      asks: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const world = new World();
        const { directory } = run(world);
        let revision = 0;
        for (const { number, act, version, mood, asks } of steps) {
          world.change(number, act, version);
          world.mood = mood;
          if (!asks) continue;
          await refresh(directory);
          expect(directory.freshness.revision ?? 0).toBeGreaterThanOrEqual(revision);
          revision = directory.freshness.revision ?? 0;
        }
        world.mood = 'good';
        await refresh(directory);
        expect(directory.freshness.revision).toBe(world.newest.revision);
        expect(modelsOf(directory)).toEqual([...world.newest.models].sort(byId));
        for (const { id, alias } of world.newest.models) expect(directory.known(alias)?.id).toBe(id);
        await directory.stop();
      }),
      { numRuns: 200 },
    );
  });

  it('asks for what changed, and for all of it when that does not fit, which it says', async () => {
    const world = new World();
    for (const number of [1, 2, 3]) world.change(number, 'save', 1);
    const { directory } = run(world);
    await refresh(directory);
    world.change(4, 'save', 1);
    await refresh(directory);
    expect(world.asked.filter((asked) => asked === 'whole')).toHaveLength(1);
    expect(world.asked.at(-1)).toBe(world.newest.revision - 1);
    world.change(4, 'delete', 1);
    world.mood = 'forgetful';
    const kept = directory.known(String(world.newest.models[0]?.alias));
    await refresh(directory);
    expect(world.asked.slice(-2)).toEqual([world.newest.revision - 1, 'whole']);
    expect(modelsOf(directory)).toEqual([...world.newest.models].sort(byId));
    expect(kept).toEqual(world.newest.models[0]);
    expect(warnings).toEqual([expect.objectContaining({ msg: expect.stringContaining('does not fit') })]);
  });

  it('tells of each state it took over, and hands it on to be kept', async () => {
    const world = new World();
    const { directory, kept, news } = run(world);
    await refresh(directory);
    expect([news(), kept.at(-1)?.revision]).toEqual([1, 100]);
    await refresh(directory);
    expect(news()).toBe(1);
    world.change(1, 'save', 1);
    await refresh(directory);
    expect([news(), kept.at(-1)?.revision]).toEqual([2, 101]);
    world.mood = 'away';
    await refresh(directory);
    world.mood = 'good';
    await refresh(directory);
    expect(news()).toBe(3);
  });

  describe('with a file', () => {
    const inFile = (revision: number): SavedSnapshot => ({
      snapshot: { revision, ...NOTHING, models: [aSnapshotModel({ alias: 'of-the-file' })] },
      savedAt: Date.parse('2026-01-01T00:00:00Z'),
    });

    it('answers from it when storage fails, and keeps nothing of that', async () => {
      const world = new World();
      world.mood = 'away';
      const { directory, kept, news } = run(world, inFile(90));
      await refresh(directory);
      expect(directory.known('of-the-file')).toBeDefined();
      expect(directory.freshness).toMatchObject({ source: 'file', contactAt: null, revision: 90, isStorageAway: true });
      expect([kept, news()]).toEqual([[], 1]);
    });

    it('does not look at it when storage answers', async () => {
      const { directory } = run(new World(), inFile(999));
      await refresh(directory);
      expect(directory.known('of-the-file')).toBeUndefined();
      expect(directory.freshness).toMatchObject({ source: 'storage', savedAt: null, revision: 100 });
    });

    it.each([90, 100, 999])(
      'believes storage from its first word on, whatever the file of revision %d says',
      async (revision) => {
        const world = new World();
        world.mood = 'away';
        const { directory } = run(world, inFile(revision));
        await refresh(directory);
        expect(directory.freshness.source).toBe('file');
        world.mood = 'good';
        await refresh(directory);
        expect(directory.freshness).toMatchObject({ source: 'storage', savedAt: null, isStorageAway: false });
        // 100 is the newest, says storage: what the file has is that.
        expect(directory.known('of-the-file') !== undefined).toBe(revision === 100);
        expect(directory.freshness.revision).toBe(100);
      },
    );
  });
});
