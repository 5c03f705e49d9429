import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aSnapshotModel } from '../../../test/factories/snapshot-model.js';
import type { Snapshot } from '../../contract/snapshot.contract.js';
import { Secret } from '../../platform/secrets/secret.js';
import { sealSnapshot } from './sealed-snapshot.js';
import { SnapshotFile } from './snapshot-file.js';
import { packSnapshot } from './snapshot-json.js';
import { SnapshotKeys, snapshotKeyOf } from './snapshot-keys.js';

const aKey = (): KeyObject => createSecretKey(randomBytes(32));
const aSnapshot = (revision: number, models = 3): Snapshot => ({
  revision,
  models: Array.from({ length: models }, (_, index) =>
    aSnapshotModel({ id: `id-${index}`, alias: `alias-${index}`, description: 'Modèle 模型 😀' }),
  ),
  tokens: [{ id: 't', sha256: 'a'.repeat(64), scopes: ['invoke'], expires_at: '2020-01-01T00:00:00.000Z' }],
  prompts: [],
  budgets: [{ name: 'spent', scope: 'all', scope_value: null, until: '2020-01-01T00:00:00.000Z' }],
});

const mountSmallDisk = (directory: string): void =>
  void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32k,mode=700', 'tmpfs', directory], { stdio: 'ignore' });

/** Whether this user may: root on Linux, in most containers. */
const canMount = ((): boolean => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-test-disk-'));
  try {
    mountSmallDisk(directory);
    execFileSync('umount', [directory]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(directory, { recursive: true });
  }
})();

describe('the file of a snapshot', () => {
  const key = aKey();
  let home: string;
  let path: string;
  let file: SnapshotFile;
  const fileWith = (...keys: KeyObject[]): SnapshotFile => new SnapshotFile(path, new SnapshotKeys(() => keys));
  const failureOf = async (reader = file): Promise<string> =>
    reader.read().then(
      (found) => `It was read: ${JSON.stringify(found)}`,
      (error: Error) => error.message,
    );

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hub-test-lkg-'));
    path = join(home, 'data', 'file');
    file = fileWith(key);
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('gives back what was written, to the last character', async () => {
    expect(await file.read()).toBeNull();
    expect(await file.write(aSnapshot(5))).toBe(true);
    const saved = await file.read();
    expect(saved?.snapshot).toEqual(aSnapshot(5));
    expect(Math.abs(Date.now() - (saved?.savedAt ?? 0))).toBeLessThan(60_000);
    expect([statSync(path).mode & 0o777, statSync(join(home, 'data')).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(readdirSync(join(home, 'data'))).toEqual(['file']);
  });

  it('is written in slices: whatever else is to be done gets its turn', async () => {
    const snapshot = aSnapshot(5, 5000);
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await packSnapshot(snapshot);
    isOver = true;
    expect(turns).toBeGreaterThan(JSON.stringify(snapshot).length / 200_000);
  });

  it('is refused when it was cut at any 64 bytes, or has a bit flipped, and is never used in part', async () => {
    await file.write(aSnapshot(5));
    const good = readFileSync(path);
    for (let length = 0; length < good.length; length += 64) {
      writeFileSync(path, good.subarray(0, length));
      expect(await failureOf()).toMatch(length === 0 ? /empty/ : /damaged/);
    }
    for (let at = 0; at < good.length; at += 13) {
      const flipped = Buffer.from(good);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(path, flipped);
      expect(await failureOf()).toMatch(/damaged|no such file|another/);
    }
    writeFileSync(path, good);
    expect((await file.read())?.snapshot).toEqual(aSnapshot(5));
  });

  it('is refused when it is authentic, and no whole snapshot', async () => {
    mkdirSync(join(home, 'data'));
    const half = await packSnapshot({ ...aSnapshot(5), models: [{ alias: 'x' }] as unknown as Snapshot['models'] });
    for (const content of [half, Buffer.from('no gzip'), Buffer.alloc(0)]) {
      writeFileSync(path, sealSnapshot(key, 5, content), { mode: 0o600 });
      expect(await failureOf()).toMatch(/damaged/);
    }
  });

  it('says why it is refused: key, mode, kind', async () => {
    await file.write(aSnapshot(5));
    expect(await failureOf(fileWith(aKey()))).toContain('another STORAGE_SERVICE_TOKEN or encryption key');
    for (const mode of [0o644, 0o640, 0o602, 0o777]) {
      chmodSync(path, mode);
      expect(await failureOf()).toContain('its mode must be 0600');
    }
    rmSync(path);
    mkdirSync(path);
    expect(await failureOf()).toContain('not a regular file');
    rmSync(path, { recursive: true });
    if (process.platform === 'win32') return;
    execFileSync('mkfifo', ['-m', '600', path]);
    expect(await failureOf()).toContain('not a regular file');
    rmSync(path);
    symlinkSync(path, path);
    expect(await failureOf()).toContain('cannot be read (ELOOP)');
  });

  it('opens under each key of a ring, and is sealed under the first', async () => {
    const [older, newer] = [aKey(), aKey()];
    await fileWith(older).write(aSnapshot(5));
    expect((await fileWith(newer, older).read())?.snapshot.revision).toBe(5);
    // The same revision, so that the older key can be taken away.
    expect(await fileWith(newer, older).write(aSnapshot(5))).toBe(true);
    expect((await fileWith(newer).read())?.snapshot.revision).toBe(5);
    expect(await failureOf(fileWith(older))).toContain('another');
  });

  it('never gets older, whoever writes it, unless nobody can open it', async () => {
    const other = fileWith(key);
    expect(await file.write(aSnapshot(5))).toBe(true);
    expect(await other.write(aSnapshot(4))).toBe(false);
    expect(await other.write(aSnapshot(5))).toBe(false);
    expect((await file.read())?.snapshot.revision).toBe(5);
    expect(await other.write(aSnapshot(6))).toBe(true);
    for (const spoil of [
      (): void => chmodSync(path, 0o644),
      (): void => writeFileSync(path, readFileSync(path).subarray(0, -1)),
      (): void => writeFileSync(path, sealSnapshot(aKey(), 99, Buffer.alloc(10))),
      (): void => writeFileSync(path, ''),
    ]) {
      spoil();
      expect(await file.write(aSnapshot(2))).toBe(true);
      expect((await file.read())?.snapshot.revision).toBe(2);
      await file.write(aSnapshot(6));
    }
  });

  it('has the newest of what many writers wrote at once, and nothing is left beside it', async () => {
    const revisions = Array.from({ length: 12 }, (_, index) => ((index * 7) % 12) + 1);
    await Promise.all(revisions.map((revision) => fileWith(key).write(aSnapshot(revision, 200))));
    expect((await file.read())?.snapshot.revision).toBe(12);
    expect(readdirSync(join(home, 'data'))).toEqual(['file']);
  });

  it('stays as it was when the new one cannot be written', async () => {
    await file.write(aSnapshot(5));
    rmSync(path);
    mkdirSync(path);
    writeFileSync(join(path, 'in-the-way'), '');
    await expect(file.write(aSnapshot(6))).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
    expect(readdirSync(join(home, 'data'))).toEqual(['file']);
  });

  (canMount ? it : it.skip)('stays as it was when the disk is full', async () => {
    const disk = join(home, 'data');
    mkdirSync(disk);
    mountSmallDisk(disk);
    try {
      await file.write(aSnapshot(5));
      const large = aSnapshot(6);
      large.models[0] = aSnapshotModel({ description: randomBytes(60_000).toString('hex') });
      await expect(file.write(large)).rejects.toThrow(/ENOSPC/);
      expect((await file.read())?.snapshot).toEqual(aSnapshot(5));
      expect(readdirSync(disk)).toEqual(['file']);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  it('is read as the first version that had it wrote it', async () => {
    const fixture = new URL('../../../test/fixtures/last-known-good.v1', import.meta.url);
    mkdirSync(join(home, 'data'));
    writeFileSync(path, readFileSync(fixture), { mode: 0o600 });
    const first = fileWith(snapshotKeyOf(Secret.of('service-token-of-the-fixture-0001')));
    const { revision, models, tokens, prompts } = (await first.read())?.snapshot ?? {};
    const [known] = aSnapshot(1).models;
    expect([revision, models?.length, prompts]).toEqual([1_790_000_000_000, 3, []]);
    expect(models?.[2]).toMatchObject({ alias: 'alias-2', description: 'Modèle 模型 😀', api_key: known?.api_key });
    expect(tokens).toEqual(aSnapshot(1).tokens);
  });
});
