import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { KeyRing } from './key-ring.js';
import { SealError } from './seal-error.js';
import type { SealFailure } from './seal-error.js';
import { open, seal } from './sealed-secret.js';

const ring = KeyRing.generate().ring;
const KEY_ID = ring.activeKeyId;
const HERE = { table: 'ai_model_configs', rowId: '1', field: 'api_key', allowedOrigin: 'https://api.openai.com' };

function failureOf(sealed: string): SealFailure | 'opened' {
  try {
    open(ring, sealed, HERE);
    return 'opened';
  } catch (error) {
    if (error instanceof SealError) return error.reason;
    throw error;
  }
}

/** The decoded blobs of a sealed text and how to put it together again. */
function takeApart(sealed: string): { keyId: string; wrapped: Buffer; value: Buffer } {
  const [, keyId = '', wrapped = '', value = ''] = sealed.split('.');
  return { keyId, wrapped: Buffer.from(wrapped, 'base64url'), value: Buffer.from(value, 'base64url') };
}

const putTogether = (keyId: string, wrapped: Buffer, value: Buffer): string =>
  `hub1.${keyId}.${wrapped.toString('base64url')}.${value.toString('base64url')}`;

function* bitFlips(blob: Buffer): Generator<Buffer> {
  for (let bit = 0; bit < blob.length * 8; bit += 1) {
    const flipped = Buffer.from(blob);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    yield flipped;
  }
}

describe('a changed text does not open', () => {
  // Lengths 0 to 3 give every number of unused bits in the last character.
  const texts = ['', 'a', 'ab', 'abc', 'sk-very-secret'].map((text) => seal(ring, text, HERE));

  it('with any bit of nonce, wrapped key, ciphertext or tag flipped', () => {
    for (const sealed of texts) {
      const { keyId, wrapped, value } = takeApart(sealed);
      expect(putTogether(keyId, wrapped, value)).toBe(sealed);
      for (const flip of bitFlips(wrapped)) expect(failureOf(putTogether(keyId, flip, value))).toBe('not_authentic');
      for (const flip of bitFlips(value)) expect(failureOf(putTogether(keyId, wrapped, flip))).toBe('not_authentic');
    }
  });

  it('with any bit of any character flipped', () => {
    for (const sealed of texts) {
      for (const flip of bitFlips(Buffer.from(sealed, 'latin1'))) {
        expect(failureOf(flip.toString('latin1'))).not.toBe('opened');
      }
    }
  });

  it('with the last character replaced by any other, unused trailing bits included', () => {
    for (const sealed of texts) {
      for (let code = 0; code < 256; code += 1) {
        const changed = sealed.slice(0, -1) + String.fromCharCode(code);
        if (changed !== sealed) expect(failureOf(changed)).not.toBe('opened');
      }
    }
  });

  it('with any end, beginning or single character cut off', () => {
    for (const sealed of texts) {
      for (let cut = 0; cut < sealed.length; cut += 1) {
        expect(failureOf(sealed.slice(0, cut))).not.toBe('opened');
        expect(failureOf(sealed.slice(cut + 1))).not.toBe('opened');
        expect(failureOf(sealed.slice(0, cut) + sealed.slice(cut + 1))).not.toBe('opened');
      }
    }
  });

  it('with a shortened tag or blob', () => {
    const { keyId, wrapped, value } = takeApart(texts[4] ?? '');
    for (let length = 0; length < wrapped.length; length += 1) {
      expect(failureOf(putTogether(keyId, wrapped.subarray(0, length), value))).toBe('malformed');
    }
    for (let length = 0; length < value.length; length += 1) {
      expect(failureOf(putTogether(keyId, wrapped, value.subarray(0, length)))).toBe(
        length < 28 ? 'malformed' : 'not_authentic',
      );
    }
  });

  it('nor does any other text, and nothing but a SealError is thrown', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, other) => {
        expect(failureOf(text)).toBe('malformed');
        expect(failureOf(`hub1.${KEY_ID}.${text}.${other}`)).not.toBe('opened');
      }),
    );
  });
});
