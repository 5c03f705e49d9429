import { beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '../../platform/errors/app-error.js';
import { DocumentSeal, readSealing, type Sealing } from './sealing.js';

const PASSPHRASE = 'correct horse battery staple';
const PLACE = { alias: 'fast', field: 'api_key', allowedOrigin: 'https://example.com' };

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

describe('DocumentSeal', () => {
  let seal: DocumentSeal;
  let sealing: Sealing;

  beforeAll(async () => {
    seal = await DocumentSeal.create(PASSPHRASE);
    sealing = seal.describe([]);
  });

  it('opens with the same passphrase, anywhere, and gives back the same text', async () => {
    const other = await DocumentSeal.open(readSealing(JSON.parse(JSON.stringify(sealing))), PASSPHRASE);
    for (const text of ['sk-0123456789', '{"X-A": "ключ 🚀"}', 'x'.repeat(40_000)]) {
      expect(other.open(seal.seal(text, PLACE), PLACE)).toBe(text);
    }
  });

  it('takes letters that can be typed in two ways for the same', async () => {
    const composed = await DocumentSeal.create('pâté de campagne'.normalize('NFC'));
    const opened = DocumentSeal.open(composed.describe([]), 'pâté de campagne'.normalize('NFD'));
    await expect(opened).resolves.toBeDefined();
  });

  it('tells a wrong passphrase, and a check that was changed', async () => {
    expect(await codeOf(DocumentSeal.open(sealing, `${PASSPHRASE} `))).toBe('passphrase_wrong');
    expect(await codeOf(DocumentSeal.open({ ...sealing, check: sealing.check.slice(0, -2) }, PASSPHRASE))).toBe(
      'passphrase_wrong',
    );
  });

  it('opens nothing in another place, and nothing that was changed in a single bit', () => {
    const sealed = seal.seal('sk-0123456789', PLACE);
    for (const place of [{ alias: 'slow' }, { field: 'auth_headers' }, { allowedOrigin: 'https://evil.example' }]) {
      expect(seal.open(sealed, { ...PLACE, ...place })).toBeNull();
    }
    const bytes = Buffer.from(sealed, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(seal.open(changed.toString('base64url'), PLACE)).toBeNull();
    }
    for (let length = 0; length < bytes.length; length += 1) {
      expect(seal.open(bytes.subarray(0, length).toString('base64url'), PLACE)).toBeNull();
    }
  });

  it('never seals the same text to the same twice', async () => {
    const many = new Set(Array.from({ length: 1000 }, () => seal.seal('x', PLACE)));
    expect(many.size).toBe(1000);
    const other = await DocumentSeal.create(PASSPHRASE);
    expect(other.describe([]).salt).not.toBe(sealing.salt);
  });

  it.each([
    [null],
    ['text'],
    [{}],
    [{ n: 2 ** 18 }],
    [{ n: 1024 }],
    [{ r: 16 }],
    [{ p: 2 }],
    [{ kdf: 'argon2id' }],
    [{ salt: 'short' }],
    [{ salt: 'x'.repeat(500) }],
    [{ check: null }],
  ])('is not read from %j', (change) => {
    const document =
      typeof change === 'object' && change !== null && Object.keys(change).length > 0
        ? { ...sealing, ...change }
        : change;
    expect(() => readSealing(document)).toThrow(/validation_failed/);
  });
});
