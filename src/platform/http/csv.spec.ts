import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type CsvCell, toCsv } from './csv.js';

/** A reader of RFC 4180, written without a look at the writer. */
const readCsv = (text: string): string[][] => {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; !(text[at] === '"' && text[at + 1] !== '"'); at += 1) {
        if (text[at] === '"') at += 1;
        cell += text[at];
      }
      at += 1;
    } else {
      for (; text[at] !== ',' && text[at] !== '\r'; at += 1) cell += text[at];
    }
    row.push(cell);
    if (text[at] === ',') at += 1;
    else {
      rows.push(row);
      row = [];
      at += 2;
    }
  }
  return rows;
};

describe('CSV', () => {
  it('reads back as it was written, but for the quote before what looks like a formula', () => {
    const text = fc.string({
      unit: fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '"', ',', ' ', 'a', '漢', '1'),
    });
    const cell: fc.Arbitrary<CsvCell> = fc.oneof(text, fc.integer(), fc.double({ noNaN: true }), fc.constant(null));
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 })), (rows) => {
        const expected = rows.map((row) =>
          row.map((one) => (typeof one === 'string' ? one.replace(/^(?=[=+\-@\t\r])/, "'") : String(one ?? ''))),
        );
        expect(readCsv(toCsv(rows))).toEqual(expected);
      }),
    );
  });

  it('has no cell that begins like a formula, quoted or not', () => {
    const nasty = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '=HYPERLINK("http://evil.test","x")', '-2+3,"'];
    const text = toCsv([nasty]);
    expect(text).toBe(`'=1+1,'+1,'-1,'@SUM(A1),'\t=1,"'\r=1","'=HYPERLINK(""http://evil.test"",""x"")","'-2+3,"""\r\n`);
  });

  it('leaves numbers alone', () => {
    expect(toCsv([[-1, 0.000123, 1e21, null]])).toBe('-1,0.000123,1e+21,\r\n');
  });
});
