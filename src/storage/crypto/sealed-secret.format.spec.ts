import { describe, expect, it } from '@jest/globals';
import { KeyRing } from './key-ring.js';
import { SealError } from './seal-error.js';
import { keyIdOf, open } from './sealed-secret.js';

const HERE = {
  table: 'ai_model_configs',
  rowId: '3f2b8c1e-0000-4000-8000-000000000001',
  field: 'api_key',
  allowedOrigin: 'https://api.openai.com',
};

// Made by another implementation (Python, cryptography 48) from the written format. Frozen: if one of these no longer
// opens, every secret of every installation is lost. Never adapt the text to the code.
const GOLDEN_RING = KeyRing.parse('golden:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=');
const GOLDEN =
  'hub1.golden.yMnKy8zNzs_Q0dLTUBfuStfnBi0L8J3-A7SPOWitQFmUIFr5HOg05b5afdFF4Hplwv1fQkNr8-i0o3eA.' +
  '3N3e3-Dh4uPk5ebnzmflh92ISie7R26ku9U3OJAEUOYEoVds-bmNJIBpuGnuMzWAt47XlnPLBOIe';
const GOLDEN_EMPTY =
  'hub1.golden.yMnKy8zNzs_Q0dLTUBfuStfnBi0L8J3-A7SPOWitQFmUIFr5HOg05b5afdGyA5f8HwHhRqWxOhOSmXXi.' +
  '3N3e3-Dh4uPk5ebnlGI4mRE7Tj8zLL9BnwGRrQ';

describe('the format is frozen', () => {
  it('the golden texts open', () => {
    expect(open(GOLDEN_RING, GOLDEN, HERE).reveal()).toBe('not-a-real-key ✓ grün 🔑');
    const check = { table: 'key_check', rowId: 'golden', field: 'value', allowedOrigin: null };
    expect(open(GOLDEN_RING, GOLDEN_EMPTY, check).reveal()).toBe('');
  });

  it.each([
    ['padding', (sealed: string) => `${sealed}=`],
    ['a newline', (sealed: string) => `${sealed}\n`],
    ['a further part', (sealed: string) => `${sealed}.`],
    ['the standard alphabet', (sealed: string) => sealed.replaceAll('-', '+').replaceAll('_', '/')],
    ['capitals in the prefix', (sealed: string) => sealed.replace('hub1', 'HUB1')],
  ])('there is one spelling only: not with %s', (_name, change) => {
    expect(keyIdOf(GOLDEN)).toBe('golden');
    expect(keyIdOf(change(GOLDEN))).toBeNull();
    expect(() => open(GOLDEN_RING, change(GOLDEN), HERE)).toThrow(new SealError('malformed'));
  });
});
