import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { editItems } from './json-array-editor.js';

const edit = (text: string, change: (item: string) => string): string =>
  editItems(Buffer.from(text), (item) => {
    const changed = change(item.toString());
    return changed === item.toString() ? item : Buffer.from(changed);
  }).toString();

describe('the items of a list', () => {
  it('are given as they stand, in order', () => {
    const seen: string[] = [];
    const text = ' [ {"a": [1,2]} ,\n"b, ]" , -1.50e+2,null,[ ] ] ';
    expect(edit(text, (item) => (seen.push(item), item))).toBe(text);
    expect(seen).toEqual(['{"a": [1,2]}', '"b, ]"', '-1.50e+2', 'null', '[ ]']);
  });

  it('are replaced in their place, and nothing else is touched', () => {
    expect(edit('[ 1 ,2,\t3 ]', (item) => (item === '2' ? '{"two":2}' : item))).toBe('[ 1 ,{"two":2},\t3 ]');
    expect(edit('[1]', () => '')).toBe('[]');
  });

  it.each(['{"a":1}', '"[1]"', '7', 'null', '[]', '[ ]', ''])('of %j are none', (text) => {
    const bytes = Buffer.from(text);
    expect(editItems(bytes, () => Buffer.from('x'))).toBe(bytes);
  });

  it('are all found, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (values, space) => {
        const seen: unknown[] = [];
        const text = JSON.stringify(values, null, space);
        expect(edit(text, (item) => (seen.push(JSON.parse(item)), item))).toBe(text);
        expect(seen).toEqual(JSON.parse(text));
        const wrapped = edit(text, (item) => `[${item}]`);
        expect(JSON.parse(wrapped)).toEqual((JSON.parse(text) as unknown[]).map((value) => [value]));
      }),
    );
  });
});
