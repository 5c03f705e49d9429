import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../platform/secrets/secret.js';
import { HEADER_BYTES, openSnapshot, readHeader, sealSnapshot } from './sealed-snapshot.js';
import { snapshotKeyOf } from './snapshot-keys.js';

const aKey = (): KeyObject => createSecretKey(randomBytes(32));
const content = randomBytes(2000);
const key = aKey();
const file = sealSnapshot(key, 1_790_000_000_123, content);

const flip = (at: number, bit: number): Buffer => {
  const damaged = Buffer.from(file);
  damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
  return damaged;
};

describe('a sealed snapshot', () => {
  it('opens under its key, whichever of them that is, and tells its revision without', () => {
    const opened = openSnapshot([aKey(), key, aKey()], file);
    if (typeof opened === 'string') throw new Error(opened);
    expect(opened.content.equals(content)).toBe(true);
    expect(readHeader(file)).toMatchObject({ revision: 1_790_000_000_123 });
    expect(Math.abs(Date.now() - opened.header.savedAt)).toBeLessThan(60_000);
  });

  it('never has the same bytes twice, and shows nothing of its content', () => {
    expect(sealSnapshot(key, 1_790_000_000_123, content).subarray(HEADER_BYTES)).not.toEqual(
      file.subarray(HEADER_BYTES),
    );
    expect(file.includes(content.subarray(0, 8))).toBe(false);
  });

  it('does not open when it was cut, at any byte', () => {
    for (let length = 0; length < file.length; length += 1) {
      expect([length, typeof openSnapshot([key], file.subarray(0, length))]).toEqual([length, 'string']);
    }
    expect(openSnapshot([key], Buffer.concat([file, Buffer.alloc(1)]))).toBe('damaged');
  });

  it('does not open with one bit flipped, whichever', () => {
    for (let at = 0; at < file.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        expect([at, bit, typeof openSnapshot([key], flip(at, bit))]).toEqual([at, bit, 'string']);
      }
    }
  });

  it('says what is wrong with it', () => {
    expect(openSnapshot([key], Buffer.alloc(0))).toBe('empty');
    expect(openSnapshot([key], Buffer.from('{"revision": 1, "models": []}'))).toBe('foreign');
    expect(openSnapshot([key], flip(9, 1))).toBe('format');
    expect(openSnapshot([aKey()], file)).toBe('key');
    expect(openSnapshot([], file)).toBe('key');
    expect(openSnapshot([key], file.subarray(0, 20))).toBe('damaged');
    // A header that was exchanged is a lie about what is behind it.
    const other = sealSnapshot(key, 1_790_000_000_124, content);
    const mixed = Buffer.concat([other.subarray(0, HEADER_BYTES), file.subarray(HEADER_BYTES)]);
    expect(openSnapshot([key], mixed)).toBe('damaged');
  });
});

describe('the key of a sealed snapshot', () => {
  it('is another one for another service token, and the same for the same', () => {
    const [one, same, other] = ['a'.repeat(32), 'a'.repeat(32), 'b'.repeat(32)].map((text) =>
      snapshotKeyOf(Secret.of(text)),
    ) as [KeyObject, KeyObject, KeyObject];
    expect(one.equals(same)).toBe(true);
    expect(one.equals(other)).toBe(false);
    // The token itself, or a plain hash of it, is no key.
    expect(one.export().equals(Buffer.from('a'.repeat(32)))).toBe(false);
  });
});
