// A nonce that came twice under one key would give the key away; they are random, and so many of them must differ.
import { describe, expect, it } from '@jest/globals';
import { KeyRing } from '../../src/storage/crypto/key-ring.js';
import { seal } from '../../src/storage/crypto/sealed-secret.js';
import { parseSealedText } from '../../src/storage/crypto/sealed-text.js';

const SEALS = 1_000_000;
const NONCE_BYTES = 12;
const HERE = { table: 'ai_model_configs', rowId: 'r', field: 'api_key', allowedOrigin: null };

describe('a million sealed texts', () => {
  it('have two million nonces', () => {
    const { ring } = KeyRing.generate();
    const nonces = new Set<string>();
    for (let count = 0; count < SEALS; count += 1) {
      const parts = parseSealedText(seal(ring, '', HERE));
      if (!parts) throw new Error('not a sealed text');
      nonces
        .add(parts.wrappedKey.toString('latin1', 0, NONCE_BYTES))
        .add(parts.value.toString('latin1', 0, NONCE_BYTES));
    }
    expect(nonces.size).toBe(2 * SEALS);
  });
});
