import { describe, expect, it } from '@jest/globals';
import { parseCollectorHeaders } from './collector-headers.js';

describe('parseCollectorHeaders', () => {
  it.each([
    ['api-key=abc', { 'api-key': 'abc' }],
    [' Api-Key = abc , x-team=one%20two%2Cthree,', { 'api-key': 'abc', 'x-team': 'one two,three' }],
    ['authorization=Basic%20dXNlcjpwYXNz==', { authorization: 'Basic dXNlcjpwYXNz==' }],
    ['empty=', { empty: '' }],
  ])('reads %j', (text, headers) => {
    expect(parseCollectorHeaders(text)).toEqual(headers);
  });

  it.each([
    '',
    ',',
    'no value',
    '=value',
    'a b=value',
    'key=%0D%0Ainjected: 1',
    'key=%zz',
    'key=ümlaut',
    '__proto__=x',
    Array.from({ length: 33 }, (_value, index) => `h${index}=x`).join(','),
  ])('refuses %j', (text) => {
    expect(parseCollectorHeaders(text)).toBeNull();
  });
});
