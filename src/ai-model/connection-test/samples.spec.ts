import { describe, expect, it } from '@jest/globals';
import { fileTypeFromBuffer } from 'file-type';
import { makePdf, makeWav, RED_MP4, RED_PNG, TEXT_FILE } from './samples.js';

describe('what a model is shown in a test', () => {
  it.each([
    ['picture', Buffer.from(RED_PNG, 'base64'), 'image/png'],
    ['video', Buffer.from(RED_MP4, 'base64'), 'video/mp4'],
    ['sound', makeWav(), 'audio/wav'],
    ['file', makePdf(), 'application/pdf'],
  ])('the %s is what it says it is, and small', async (_name, bytes, type) => {
    expect((await fileTypeFromBuffer(bytes))?.mime).toBe(type);
    expect(bytes.length).toBeLessThan(10_000);
  });

  it('every object of the file stands where its table says', () => {
    const text = makePdf().toString('latin1');
    expect(text).toContain(TEXT_FILE);
    const table = Number(/startxref\n(\d+)/.exec(text)?.[1]);
    expect(text.slice(table, table + 4)).toBe('xref');
    const offsets = [...text.slice(table).matchAll(/^(\d{10}) 00000 n $/gm)].map((match) => Number(match[1]));
    expect(offsets.map((offset, index) => text.slice(offset, offset + 7) === `${index + 1} 0 obj`)).toEqual(
      Array(5).fill(true),
    );
    const [, length, stream] = /Length (\d+) >>\nstream\n(.*)\nendstream/.exec(text) ?? [];
    expect(stream?.length).toBe(Number(length));
  });

  it('the sound has the length its head says', () => {
    const wav = makeWav();
    expect(wav.readUInt32LE(4)).toBe(wav.length - 8);
    expect(wav.readUInt32LE(40)).toBe(wav.length - 44);
  });
});
