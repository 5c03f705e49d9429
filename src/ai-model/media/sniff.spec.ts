import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { typeByHead } from './sniff.js';

describe('typeByHead', () => {
  it.each([
    ['BMW is no bitmap', 'text/plain', 'text/plain'],
    ['ID3 is a tag of sound files', null, null],
    ['%PDF-1.7 in plain letters', 'text/plain', 'application/pdf'],
    ['<svg xmlns="x"/>', 'image/svg+xml', 'image/svg+xml'],
  ])('%j', async (text, declared, type) => expect(await typeByHead(declared, Buffer.from(text))).toBe(type));

  it('never fails, whatever the bytes', async () => {
    const heads = [
      'GIF89a',
      '%PDF',
      'RIFF',
      'PK\u0003\u0004',
      'ID3',
      'OggS',
      '\u001aEß£',
      'fLaC',
      '\u0000\u0000\u0000\u0018ftyp',
      '0&²u',
      'II*\0',
      '',
    ];
    for (let round = 0; round < 300; round += 1) {
      const head = Buffer.concat([Buffer.from(heads[round % heads.length]!, 'latin1'), randomBytes(round * 7)]);
      const type = await typeByHead(null, head);
      expect(type === null || /^[\w.+-]+\/[\w.+-]+$/.test(type)).toBe(true);
    }
  });
});
