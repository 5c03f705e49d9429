import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyRing } from './key-ring.js';
import { KeyRingFile } from './key-ring-file.js';
import { KeyRingHolder } from './key-ring-holder.js';
import { seal } from './sealed-secret.js';
import { SecretVault } from './secret-vault.js';

const entry = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [FIRST, SECOND, THIRD] = [entry('first'), entry('second'), entry('third')] as const;
const OWNER = { table: 't', rowId: 'r', field: 'api_key', allowedOrigin: 'https://a.example' } as const;

const root = mkdtempSync(join(tmpdir(), 'hub-test-ring-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let directory: string;
let path: string;
let file: KeyRingFile;
const write = (text: string): void => writeFileSync(path, text, { mode: 0o600 });

beforeEach(() => {
  directory = mkdtempSync(join(root, 'ring-'));
  path = join(directory, 'keys');
  file = new KeyRingFile(path, 'SOME_VARIABLE');
  write(FIRST);
});

describe("a key ring's file", () => {
  it('is replaced as a whole, readable for its owner alone, and nothing is left beside it', () => {
    write(`${FIRST}\n`);
    chmodSync(path, 0o400);
    file.replace(`${FIRST},${SECOND}`);
    expect(readFileSync(path, 'utf8')).toBe(`${FIRST},${SECOND}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['keys']);
  });

  it('gets its old text back, unless somebody changed it since', () => {
    const takeBack = file.replace(`${FIRST},${SECOND}`);
    takeBack();
    expect(readFileSync(path, 'utf8').trim()).toBe(FIRST);
    const takeBackLater = file.replace(`${FIRST},${SECOND}`);
    write(`${FIRST},${SECOND},${THIRD}`);
    takeBackLater();
    expect(readFileSync(path, 'utf8')).toBe(`${FIRST},${SECOND},${THIRD}`);
  });

  it('is replaced behind a symbolic link, which stays', () => {
    const link = join(directory, 'link');
    symlinkSync('keys', link);
    new KeyRingFile(link, 'SOME_VARIABLE').replace(SECOND);
    expect(readlinkSync(link)).toBe('keys');
    expect(readFileSync(path, 'utf8')).toBe(`${SECOND}\n`);
  });

  it('is freed of what killed writers left, and of nothing else', () => {
    const leftover = '3f2b8c1e-0000-4000-8000-000000000001';
    const others = [`keys.${leftover.replace('1', '2')}`, 'keys.old', `other.${leftover}`, `keys.${leftover}.bak`];
    for (const name of [`keys.${leftover}`, ...others]) writeFileSync(join(directory, name), SECOND);
    const longAgo = new Date(Date.now() - 120_000);
    for (const name of [`keys.${leftover}`, ...others.slice(1)]) utimesSync(join(directory, name), longAgo, longAgo);
    file.replace(SECOND);
    expect(readdirSync(directory).sort()).toEqual(['keys', ...others].sort());
  });

  it('has another stamp after every change', () => {
    const stamps = [file.stamp()];
    const note = (): void => void stamps.push(file.stamp());
    write(SECOND);
    note();
    chmodSync(path, 0o640);
    note();
    file = new KeyRingFile(path, 'SOME_VARIABLE');
    chmodSync(path, 0o600);
    file.replace(FIRST);
    note();
    rmSync(path);
    note();
    expect(stamps.at(-1)).toBeNull();
    expect(new Set(stamps).size).toBe(stamps.length);
  });
});

describe('a key ring that changes under its users', () => {
  let keys: KeyRingHolder;
  let vault: SecretVault;
  const sealedUnder = (entries: string): string => seal(KeyRing.parse(entries), 'secret', OWNER);

  beforeEach(() => {
    keys = new KeyRingHolder(KeyRing.parse(FIRST), file);
    vault = new SecretVault(keys);
  });

  it('opens at once what another process seals under a key that has just come into the file, and does not seal with it', () => {
    write(`${SECOND},${FIRST}`);
    expect(vault.open(sealedUnder(SECOND), OWNER).reveal()).toBe('secret');
    expect(keys.current.activeKeyId).toBe('first');
    expect(vault.seal('x', OWNER)).toMatch(/^hub1\.first\./);
    expect(vault.fingerprint('x')).toMatch(/^first:/);
  });

  it('opens nothing with what is in the file instead of the right key', () => {
    write(`${entry('second')},${FIRST}`);
    expect(() => vault.open(sealedUnder(SECOND), OWNER)).toThrow(expect.objectContaining({ reason: 'not_authentic' }));
    write('nonsense');
    expect(() => vault.open(sealedUnder(SECOND), OWNER)).toThrow(expect.objectContaining({ reason: 'unknown_key' }));
    expect(vault.open(sealedUnder(FIRST), OWNER).reveal()).toBe('secret');
  });

  it('still opens for a minute what was read before its key was removed', () => {
    const now = jest.spyOn(performance, 'now');
    try {
      now.mockReturnValue(1_000_000);
      keys.adopt(KeyRing.parse(SECOND));
      expect(vault.open(sealedUnder(FIRST), OWNER).reveal()).toBe('secret');
      expect(vault.seal('x', OWNER)).toMatch(/^hub1\.second\./);
      now.mockReturnValue(1_060_000);
      write(SECOND);
      expect(() => vault.open(sealedUnder(FIRST), OWNER)).toThrow(expect.objectContaining({ reason: 'unknown_key' }));
    } finally {
      now.mockRestore();
    }
  });

  it('says what is wrong with the file, without anything of what is in it', () => {
    const reading = (): string | null => keys.readFile().problem;
    expect(reading()).toBeNull();
    write(`${FIRST},${SECOND.slice(0, 20)}`);
    expect(reading()).toMatch(/^SOME_VARIABLE is not valid: Key 2/);
    expect(reading()).not.toContain(SECOND.slice(8, 16));
    chmodSync(path, 0o644);
    expect(reading()).toMatch(/others can read/);
    rmSync(path);
    expect(reading()).toMatch(/cannot be read \(ENOENT\)/);
    write(SECOND);
    expect(keys.readFile()).toMatchObject({ problem: null, ring: expect.objectContaining({ activeKeyId: 'second' }) });
  });

  it('without a file never changes by itself', () => {
    const fixed = new KeyRingHolder(KeyRing.parse(FIRST), null);
    expect(fixed.readFile().ring).toBe(fixed.current);
    expect(fixed.forOpening('second')).toBe(fixed.current);
  });
});

describe('two rings', () => {
  it.each([
    ['the same text', FIRST, FIRST, true],
    ['the same keys, written otherwise', `${FIRST},${SECOND}`, ` ${FIRST} ,\n${SECOND}`, true],
    ['another order', `${FIRST},${SECOND}`, `${SECOND},${FIRST}`, false],
    ['a key more', FIRST, `${FIRST},${SECOND}`, false],
    ['a key less', `${FIRST},${SECOND}`, FIRST, false],
    ['another key under the same id', FIRST, entry('first'), false],
    ['the same key under another id', FIRST, FIRST.replace('first', 'other'), false],
  ])('of %s: equal %#', (_name, one, other, expected) => {
    expect(KeyRing.parse(one).equals(KeyRing.parse(other))).toBe(expected);
  });
});
