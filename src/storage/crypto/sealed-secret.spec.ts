import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { KeyRing } from './key-ring.js';
import { SealError } from './seal-error.js';
import type { SealFailure } from './seal-error.js';
import { keyIdOf, open, rewrap, seal } from './sealed-secret.js';
import type { SealIdentity } from './sealed-secret.js';
import { formatSealedText, parseSealedText } from './sealed-text.js';
import type { SealedParts } from './sealed-text.js';

const NEW_KEY = `new:${Buffer.alloc(32, 0xa5).toString('base64')}`;
const OLD_KEY = `old:${Buffer.alloc(32, 0x5a).toString('base64')}`;
const PLAINTEXT = 'sk-very-secret-0123456789';
const HERE: SealIdentity = {
  table: 'ai_model_configs',
  rowId: '3f2b8c1e-0000-4000-8000-000000000001',
  field: 'api_key',
  allowedOrigin: 'https://api.openai.com',
};

const ring = KeyRing.parse(`${NEW_KEY},${OLD_KEY}`);

function failureOf(sealed: string, identity = HERE, keys = ring): SealFailure | 'opened' {
  try {
    open(keys, sealed, identity);
    return 'opened';
  } catch (error) {
    if (error instanceof SealError) return error.reason;
    throw error;
  }
}

function takeApart(sealed: string): SealedParts {
  const parts = parseSealedText(sealed);
  if (parts === null) throw new Error('not of the format');
  return parts;
}

const identities = fc.record({
  table: fc.string({ unit: 'binary' }),
  rowId: fc.string({ unit: 'binary' }),
  field: fc.string({ unit: 'binary' }),
  allowedOrigin: fc.option(fc.webUrl()),
});

describe('a sealed secret', () => {
  it('opens to the same text, for all texts and identities', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), identities, (text, identity) => {
        expect(open(ring, seal(ring, text, identity), identity).reveal()).toBe(text);
      }),
      { examples: [['', HERE]] },
    );
  });

  it('has the documented form', () => {
    const sealed = seal(ring, PLAINTEXT, HERE);
    expect(sealed).toMatch(/^hub1\.new\.[\w-]{80}\.[\w-]+$/);
    expect(takeApart(sealed).value).toHaveLength(12 + PLAINTEXT.length + 16);
  });

  it('is another text each time', () => {
    expect(seal(ring, PLAINTEXT, HERE)).not.toBe(seal(ring, PLAINTEXT, HERE));
  });

  it('is not made of text that UTF-8 cannot hold', () => {
    const attempt = (): string => seal(ring, `${PLAINTEXT}\udfff`, HERE);
    expect(attempt).toThrow(SealError);
    expect(attempt).toThrow(/^(?!.*very-secret)/);
  });

  it('repeats no nonce in 20,000 seals (nightly: 10^6)', () => {
    const seals = 20_000;
    const nonces = new Set<string>();
    for (let count = 0; count < seals; count += 1) {
      const { wrappedKey, value } = takeApart(seal(ring, '', HERE));
      nonces.add(wrappedKey.toString('hex', 0, 12)).add(value.toString('hex', 0, 12));
    }
    expect(nonces.size).toBe(2 * seals);
  });
});

describe('keys', () => {
  it('the active key seals, a decrypt-only key still opens', () => {
    const before = seal(KeyRing.parse(OLD_KEY), PLAINTEXT, HERE);
    expect(keyIdOf(before)).toBe('old');
    expect(open(ring, before, HERE).reveal()).toBe(PLAINTEXT);
    expect(keyIdOf(seal(ring, PLAINTEXT, HERE))).toBe('new');
  });

  it('a text of a key that the ring lacks says so', () => {
    expect(failureOf(seal(ring, PLAINTEXT, HERE), HERE, KeyRing.parse(OLD_KEY))).toBe('unknown_key');
  });

  it('a swapped key id is not authentic', () => {
    const sealed = seal(ring, PLAINTEXT, HERE);
    expect(failureOf(sealed.replace('.new.', '.old.'))).toBe('not_authentic');
  });

  it('another key under the same id is not authentic', () => {
    const changed = KeyRing.parse(OLD_KEY.replace('old:', 'new:'));
    expect(failureOf(seal(ring, PLAINTEXT, HERE), HERE, changed)).toBe('not_authentic');
  });

  it('keyIdOf is null for what is no sealed text', () => {
    for (const text of ['', 'hub1', 'hub1.new', PLAINTEXT, 'hub1.new..', 'hub2.new.AAAA.AAAA']) {
      expect(keyIdOf(text)).toBeNull();
    }
  });
});

describe('a moved text is not authentic', () => {
  const sealed = seal(ring, PLAINTEXT, HERE);

  it.each<[string, Partial<SealIdentity>]>([
    ['table', { table: 'ai_model_config' }],
    ['row', { rowId: '3f2b8c1e-0000-4000-8000-000000000002' }],
    ['field', { field: 'api_keys' }],
    ['origin', { allowedOrigin: 'https://evil.example' }],
    ['port of the origin', { allowedOrigin: 'https://api.openai.com:8443' }],
    ['origin, now none', { allowedOrigin: null }],
    ['origin, now empty', { allowedOrigin: '' }],
  ])('to another %s', (_name, change) => {
    expect(failureOf(sealed, { ...HERE, ...change })).toBe('not_authentic');
  });

  it('between any two identities', () => {
    fc.assert(
      fc.property(identities, identities, (from, to) => {
        fc.pre(JSON.stringify(from) !== JSON.stringify(to));
        expect(failureOf(seal(ring, PLAINTEXT, from), to)).toBe('not_authentic');
      }),
    );
  });

  it('when the borders between the parts of the identity move', () => {
    const tricky = { ...HERE, table: 'a', rowId: 'b","c' };
    expect(failureOf(seal(ring, PLAINTEXT, tricky), { ...HERE, table: 'a","b', rowId: 'c' })).toBe('not_authentic');
  });

  it('in halves: one data key or value with those of another seal', () => {
    const one = takeApart(seal(ring, PLAINTEXT, HERE));
    const two = takeApart(seal(ring, PLAINTEXT, HERE));
    expect(failureOf(formatSealedText({ ...one, value: two.value }))).toBe('not_authentic');
    expect(failureOf(formatSealedText({ ...one, value: one.wrappedKey }))).toBe('not_authentic');
  });
});

describe('nothing is shown', () => {
  it('by the opened secret', () => {
    const secret = open(ring, seal(ring, PLAINTEXT, HERE), HERE);
    expect(inspect({ secret }) + JSON.stringify({ secret }) + String(secret)).not.toContain('very-secret');
  });

  it('by any error', () => {
    const sealed = seal(ring, PLAINTEXT, HERE);
    const failing = [
      (): unknown => open(ring, sealed.slice(1), HERE),
      (): unknown => open(ring, sealed, { ...HERE, rowId: 'x' }),
      (): unknown => open(KeyRing.generate().ring, sealed, HERE),
      (): unknown => open(ring, PLAINTEXT, HERE),
    ];
    const shown = failing.map(everythingOf).join('\n');
    expect(shown).toContain('SealError');
    const { wrappedKey, value } = takeApart(sealed);
    const hidden = ['very-secret', NEW_KEY.slice(4, 16), OLD_KEY.slice(4, 16), sealed.slice(9, 21), sealed.slice(-12)];
    for (const text of [...hidden, wrappedKey.toString('hex'), value.toString('hex')])
      expect(shown).not.toContain(text);
  });
});

function everythingOf(failing: () => unknown): string {
  try {
    failing();
  } catch (error) {
    return inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + String(error);
  }
  throw new Error('nothing was thrown');
}

describe('rewrap', () => {
  const oldRing = KeyRing.parse(OLD_KEY);
  const newRing = KeyRing.parse(NEW_KEY);
  const sealed = seal(oldRing, PLAINTEXT, HERE);

  it('gives a text that opens with the new key alone, and keeps the value to the byte', () => {
    const text = rewrap(ring, sealed, HERE);
    expect(keyIdOf(text)).toBe('new');
    expect(open(newRing, text, HERE).reveal()).toBe(PLAINTEXT);
    expect(failureOf(text, HERE, oldRing)).toBe('unknown_key');
    expect(takeApart(text).value.equals(takeApart(sealed).value)).toBe(true);
    expect(takeApart(text).wrappedKey.equals(takeApart(sealed).wrappedKey)).toBe(false);
  });

  it('wraps with another nonce each time', () => {
    const texts = Array.from({ length: 100 }, () => rewrap(ring, sealed, HERE));
    expect(new Set(texts.map((text) => takeApart(text).wrappedKey.subarray(0, 12).toString('hex'))).size).toBe(100);
  });

  it('does not move a text to another place', () => {
    const there = { ...HERE, allowedOrigin: 'https://elsewhere.example' };
    expect(() => rewrap(ring, sealed, there)).toThrow(SealError);
    expect(failureOf(rewrap(ring, sealed, HERE), there)).toBe('not_authentic');
  });

  it.each([
    ['a key that the ring lacks', (): string => rewrap(newRing, sealed, HERE), 'unknown_key'],
    ['a text that is none', (): string => rewrap(ring, 'hub1.old.x.y', HERE), 'malformed'],
  ])('refuses %s', (_name, work, reason) => {
    expect(work).toThrow(expect.objectContaining({ reason }));
  });

  it('does not mend a damaged value: what comes out does not open either', () => {
    const damaged = `${sealed.slice(0, -3)}${sealed.at(-3) === 'A' ? 'B' : 'A'}${sealed.slice(-2)}`;
    expect(failureOf(damaged)).toBe('not_authentic');
    expect(failureOf(rewrap(ring, damaged, HERE))).toBe('not_authentic');
  });
});
