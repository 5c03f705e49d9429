import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { KeyRing, KeyRingError } from './key-ring.js';

const FIRST = Buffer.from(Array.from({ length: 32 }, (_, index) => index + 1)).toString('base64');
const SECOND = Buffer.alloc(32, 0xfb).toString('base64'); // full of + and /, - and _
const url = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_');

function errorOf(text: string): KeyRingError {
  try {
    KeyRing.parse(text);
  } catch (error) {
    if (error instanceof KeyRingError) return error;
    throw error;
  }
  throw new Error('the text was accepted');
}

describe('KeyRing.parse', () => {
  it('takes the first key as the active one and keeps the order', () => {
    const ring = KeyRing.parse(`new:${FIRST},old_1-a:${SECOND}`);
    expect(ring.activeKeyId).toBe('new');
    expect(ring.keyIds).toEqual(['new', 'old_1-a']);
    expect(ring.has('old_1-a')).toBe(true);
    expect(ring.has('constructor')).toBe(false);
  });

  it.each([
    ['a trailing newline', `a:${SECOND}\n`],
    ['white space around every part', `\r\n  a : ${SECOND}\t\n`],
    ['the url alphabet', `a:${url(SECOND)}`],
    ['no padding', `a:${SECOND.replace('=', '')}`],
    ['the url alphabet without padding', `a:${url(SECOND).replace('=', '')}`],
  ])('tolerates %s', (_name, text) => {
    const plain = KeyRing.parse(`a:${SECOND}`);
    expect(KeyRing.parse(text).wrappingKey('a').equals(plain.wrappingKey('a'))).toBe(true);
  });

  it.each([
    ['an empty text', ' \n', 'There is no key'],
    ['an empty entry', `a:${FIRST},`, 'Key 2'],
    ['no colon', `a:${FIRST},${SECOND}`, 'Key 2 must be id:base64-of-32-bytes'],
    ['an empty id', `:${FIRST}`, 'The id of key 1'],
    ['a dot in the id', `a.b:${FIRST}`, 'The id of key 1'],
    ['an id of 33 characters', `${'a'.repeat(33)}:${FIRST}`, 'The id of key 1'],
    ['key and id the wrong way round', `${FIRST}:a`, 'The id of key 1'],
    ['a repeated id', `a:${FIRST},a:${SECOND}`, 'Key 2 repeats the id a'],
    ['one key under two ids', `a:${FIRST},b:${FIRST}`, 'Key 2 (id b) is the same key as a'],
    ['31 bytes', `a:${Buffer.alloc(31, 7).toString('base64')}`, 'Key 1 has 31 bytes'],
    ['33 bytes', `a:${Buffer.alloc(33, 7).toString('base64')}`, 'Key 1 has 33 bytes'],
    ['hexadecimal digits', `a:${Buffer.alloc(32, 7).toString('hex')}`, 'Key 1 has 48 bytes'],
    ['no bytes', 'a:', 'Key 1 has 0 bytes'],
    ['an all-zero key', `a:${Buffer.alloc(32).toString('base64')}`, 'Key 1 (id a) is all zeros'],
    ['a passphrase', 'a:correct horse battery staple', 'Key 1 is not canonical base64'],
    ['white space inside', `a:${FIRST.slice(0, 20)} ${FIRST.slice(20)}`, 'Key 1 is not canonical base64'],
    ['mixed alphabets', `a:${SECOND.replace('+', '-')}`, 'Key 1 is not canonical base64'],
    ['too much padding', `a:${FIRST}=`, 'Key 1 is not canonical base64'],
    ['unused trailing bits', `a:${FIRST.replace('A=', 'B=')}`, 'Key 1 is not canonical base64'],
    ['a second colon', `a:b:${FIRST}`, 'Key 1 is not canonical base64'],
  ])('refuses %s', (_name, text, message) => {
    expect(errorOf(text).message).toContain(message);
  });

  it('refuses every other last character of a key', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_';
    const last = SECOND.at(-2) ?? '';
    const spare = Array.from(alphabet).filter((character) => {
      const text = `a:${SECOND.slice(0, -2)}${character}=`;
      return character !== last && Buffer.from(text.slice(2), 'base64').equals(Buffer.from(SECOND, 'base64'));
    });
    expect(spare.length).toBeGreaterThan(0);
    for (const character of spare) errorOf(`a:${SECOND.slice(0, -2)}${character}=`);
  });

  it('never shows key text in an error, whatever is wrong', () => {
    const keyTexts = fc.uint8Array({ minLength: 12, maxLength: 48 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(keyTexts, fc.constantFrom('base64', 'base64url', 'hex'), (bytes, encoding) => {
        const key = bytes.toString(encoding);
        const texts = [
          key,
          `${key}:a`,
          `a:${key}!`,
          `a b:${key}`,
          `a:${FIRST},a:${key}`,
          `a:${key},b:${key}`,
          `a:${key},`,
        ];
        for (const text of texts.filter((candidate) => !isAccepted(candidate))) {
          const shown = inspect(errorOf(text)) + JSON.stringify(errorOf(text));
          const pieces = Array.from({ length: key.length - 11 }, (_, start) => key.slice(start, start + 12));
          expect(pieces.filter((piece) => shown.includes(piece))).toEqual([]);
        }
      }),
    );
  });

  it('does not show a key that stands where the id should be', () => {
    const key = randomBytes(16).toString('hex'); // 32 characters that pass as an id
    expect(inspect(errorOf(`${key}:k1`))).not.toContain(key);
  });
});

function isAccepted(text: string): boolean {
  try {
    return KeyRing.parse(text).keyIds.length > 0;
  } catch {
    return false;
  }
}

describe('KeyRing.generate', () => {
  it('makes a text that parses to the same ring', () => {
    const { text, ring } = KeyRing.generate(new Date('2026-11-23T23:59:59Z'));
    expect(ring.activeKeyId).toMatch(/^k20261123-[0-9a-f]{6}$/);
    expect(KeyRing.parse(`${text}\n`).wrappingKey(ring.activeKeyId).equals(ring.wrappingKey(ring.activeKeyId))).toBe(
      true,
    );
  });

  it('makes another key and id every time', () => {
    const date = new Date();
    const [one, two] = [KeyRing.generate(date), KeyRing.generate(date)];
    expect(one.text.split(':')[1]).not.toBe(two.text.split(':')[1]);
  });
});

describe('derived keys', () => {
  const ring = KeyRing.parse(`golden:${FIRST},old:${SECOND}`);
  const hex = (key: { export(): Buffer }): string => key.export().toString('hex');

  // Computed with another implementation (Python, cryptography 48): a change here loses all sealed texts.
  it('are frozen for ever', () => {
    expect(hex(ring.wrappingKey('golden'))).toBe('c84554323ce736eca8f85cd44157c19823a16732d483bbcb16c123a2249448e6');
    expect(hex(ring.derive('audit'))).toBe('db37fd4adc5a613c08c06d91dd6b000363542e37582fe74c599b65c9c29080b3');
    expect(hex(ring.derive('snapshot'))).toBe('1dd5cc3055c39ba9ce316cea8e664854bb94cb9257494600ca3dc637bf391473');
    expect(hex(ring.derive('cookie'))).toBe('d46543dc3e4dd364a50d775818eba7bc4e63957063cce06aafcd5cbb8b6832a8');
  });

  it('come from the active key unless another is named, and are made once', () => {
    expect(ring.derive('audit').equals(ring.derive('audit', 'golden'))).toBe(true);
    expect(ring.derive('audit').equals(ring.derive('audit', 'old'))).toBe(false);
    expect(ring.wrappingKey('old')).toBe(ring.wrappingKey('old'));
  });

  it('do not exist for an unknown id', () => {
    expect(() => ring.wrappingKey('gone')).toThrow(KeyRingError);
    expect(() => ring.derive('audit', 'gone')).toThrow(KeyRingError);
  });

  it('are not shown by the ring', () => {
    ring.wrappingKey('golden');
    const shown = inspect(ring, { depth: 9, showHidden: true, getters: true }) + JSON.stringify(ring);
    expect(shown).not.toContain(FIRST.slice(0, 12));
    expect(shown).not.toMatch(/c84554|01 02 03|010203/);
  });
});
