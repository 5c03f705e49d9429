import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { decodedLength, decodeHead, HEAD_BYTES, isBase64, readDataUrl } from './base64.js';

describe('isBase64', () => {
  it('takes what Node writes, of any length', () => {
    for (let length = 1; length <= 64; length += 1) {
      const text = randomBytes(length).toString('base64');
      expect([isBase64(text), decodedLength(text)]).toEqual([true, length]);
    }
  });

  it.each(['', 'AAA', 'A===', '=AAA', 'AA=A', 'AA==AAAA', 'AAAA\nAAAA', 'AAA ', '-_AA', 'AAAé', 'AA%3D'])(
    'refuses %j',
    (text) => expect(isBase64(text)).toBe(false),
  );

  it('is quick with 40 MB, also when the last character is wrong', () => {
    const text = 'A'.repeat(40_000_000);
    const start = performance.now();
    expect([isBase64(text), isBase64(`${text.slice(0, -1)}!`)]).toEqual([true, false]);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

it('decodes no more than the head', () => {
  const bytes = randomBytes(3 * HEAD_BYTES);
  expect(decodeHead(bytes.toString('base64')).equals(bytes.subarray(0, HEAD_BYTES))).toBe(true);
  expect(decodeHead(bytes.subarray(0, 10).toString('base64')).equals(bytes.subarray(0, 10))).toBe(true);
});

describe('readDataUrl', () => {
  it.each([
    ['data:image/png;base64,AAAA', { type: 'image/png', base64: 'AAAA' }],
    ['DATA:text/plain;charset=utf-8;BASE64,AAAA', { type: 'text/plain;charset=utf-8', base64: 'AAAA' }],
    ['data:;base64,AAAA', { type: '', base64: 'AAAA' }],
    ['data:image/png,AAAA', null],
    ['data:image;base64,AAAA', null],
    ['data:image/png;base64,', null],
    ['data:image/png;base64,A', null],
    ['data:image/png;base64', null],
    [`data:image/${'x'.repeat(400)};base64,AAAA`, null],
  ])('%s', (text, expected) => expect(readDataUrl(text)).toEqual(expected));
});
