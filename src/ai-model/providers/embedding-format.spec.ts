import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  converted,
  countVectors,
  formatAskedFor,
  fromBase64,
  textsOf,
  toBase64,
  toEmbeddingsBody,
} from './embedding-format.js';
import { ProviderError } from './provider-error.js';

/** 1, -2 and 0.5 as an IEEE 754 table has them, the lowest byte first. */
const KNOWN = { vector: [1, -2, 0.5], base64: Buffer.from('0000803f000000c00000003f', 'hex').toString('base64') };

const answerOf = (...embeddings: unknown[]): Record<string, unknown> => ({
  object: 'list',
  data: embeddings.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  model: 'm',
  usage: { prompt_tokens: 3, total_tokens: 3 },
});

const classOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof ProviderError ? error.errorClass : String(error);
  }
  return 'nothing thrown';
};

describe('a vector', () => {
  it('is Float32, little-endian, in base64', () => {
    expect(toBase64(KNOWN.vector)).toBe(KNOWN.base64);
    expect(fromBase64(KNOWN.base64)).toEqual(KNOWN.vector);
  });

  it('is the same after it went there and back, to the bit', () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(float, { minLength: 1, maxLength: 50 }), (vector) => {
        const back = fromBase64(toBase64(vector));
        return back.length === vector.length && back.every((value, index) => Object.is(value, vector[index]));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['nothing', undefined],
    ['an empty list', []],
    ['a text', 'AACAPw=='],
    ['null in it', [1, null]],
    ['a text in it', [1, '2']],
    ['more than a double holds', [JSON.parse('1e999')]],
    ['more than Float32 holds', [1e39]],
  ])('is none, as a list: %s', (_name, value) => expect(classOf(() => toBase64(value))).toBe('bad_answer'));

  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['three bytes', 'AAAA'],
    ['other characters', 'AACA*w=='],
    ['not a number', Buffer.from('0000c07f', 'hex').toString('base64')],
    ['infinity', Buffer.from('0000807f', 'hex').toString('base64')],
  ])('is none, as base64: %s', (_name, value) => expect(classOf(() => fromBase64(value))).toBe('bad_answer'));
});

describe('an answer', () => {
  const { vector, base64 } = KNOWN;

  it.each([
    [undefined, vector],
    [null, vector],
    ['float', vector],
    ['base64', base64],
  ])('goes on as it is when it is in the format asked for: %s', (format, embedding) => {
    expect(converted(answerOf(embedding, embedding), { input: ['a', 'b'], encoding_format: format })).toBeNull();
  });

  it.each([
    [undefined, base64, vector],
    ['float', base64, vector],
    ['base64', vector, base64],
  ])('is converted when it is not: %s', (format, embedding, expected) => {
    const answer = answerOf(embedding, embedding);
    const parameters = { input: ['a', 'b'], encoding_format: format };
    expect(converted(answer, parameters)).toEqual(answerOf(expected, expected));
  });

  it('is converted when only one of its vectors is not', () => {
    const parameters = { input: ['a', 'b'], encoding_format: 'base64' };
    expect(converted(answerOf(base64, vector), parameters)).toEqual(answerOf(base64, base64));
  });

  it.each([
    ['no vectors', { object: 'list' }],
    ['vectors that are no list', { data: {} }],
    ['too few', answerOf(vector)],
    ['too many', answerOf(vector, vector, vector)],
    ['an entry that is none', { data: [null, { embedding: vector }] }],
    ['an entry without a vector', { data: [{}, { embedding: vector }] }],
    ['a number that is none, in the format asked for', answerOf(vector, [1, null])],
    ['broken base64', answerOf(vector, 'AAAA')],
  ])('is a bad one with %s', (_name, answer) => {
    expect(classOf(() => converted(answer, { input: ['a', 'b'] }))).toBe('bad_answer');
  });

  it('is made of vectors, in the format asked for', () => {
    const made = { model: 'm', vectors: [vector, vector], inputTokens: 3 };
    expect(JSON.parse(toEmbeddingsBody(made, {}).toString())).toEqual(answerOf(vector, vector));
    const asBase64 = toEmbeddingsBody(made, { encoding_format: 'base64' });
    expect(JSON.parse(asBase64.toString())).toEqual(answerOf(base64, base64));
    const uncounted = toEmbeddingsBody({ ...made, inputTokens: null }, {});
    expect(JSON.parse(uncounted.toString())).not.toHaveProperty('usage');
  });
});

describe('a request', () => {
  it.each([
    ['Hi', 1],
    [['Hi'], 1],
    [['Hi', 'there'], 2],
    [[1, 2, 3], 1],
    [[[1, 2], [3]], 2],
  ])('asks for a vector per input: %j', (input, count) => expect(countVectors({ input })).toBe(count));

  it('asks for floats unless it says otherwise', () => {
    expect([{}, { encoding_format: null }, { encoding_format: 'float' }].map(formatAskedFor)).toEqual(
      Array(3).fill('float'),
    );
    expect(formatAskedFor({ encoding_format: 'base64' })).toBe('base64');
  });

  it('has texts, or tokens that only some providers take', () => {
    expect(textsOf({ input: 'Hi' })).toEqual(['Hi']);
    expect(textsOf({ input: ['Hi', ''] })).toEqual(['Hi', '']);
    const refusal = expect.objectContaining({ code: 'parameter_not_supported', param: 'input' });
    expect(() => textsOf({ input: [1, 2] })).toThrow(refusal);
    expect(() => textsOf({ input: [[1], [2]] })).toThrow(refusal);
  });
});
