import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../../platform/errors/app-error.js';
import { EMBEDDINGS_DIALECT } from './embeddings.dialect.js';

const read = (body: unknown): ReturnType<typeof EMBEDDINGS_DIALECT.read> =>
  EMBEDDINGS_DIALECT.read(Buffer.from(JSON.stringify(body)));
const readInput = (input: unknown, fields = {}): ReturnType<typeof read> => read({ model: 'm', input, ...fields });

const refusalOf = (body: unknown): unknown[] => {
  try {
    read(body);
  } catch (error) {
    return error instanceof AppError ? [error.code, error.param] : [error];
  }
  return [];
};

describe('a request for vectors', () => {
  it.each([
    ['a text', 'Hi'],
    ['texts', ['Hi', 'there']],
    ['2048 texts', Array(2048).fill('Hi')],
    ['tokens', [1, 2, 3]],
    ['more tokens than texts may be', Array(8191).fill(100_000)],
    ['lists of tokens', [[1], [2, 3]]],
    ['all the tokens that OpenAI takes at once', Array.from({ length: 300 }, () => Array(1000).fill(100_000))],
  ])('takes %s', (_name, input) => {
    expect(readInput(input)).toMatchObject({ operation: 'embeddings', alias: 'm', stream: false, prompt: null });
  });

  it('takes every parameter of OpenAI, null as well, and those it does not know', () => {
    const fields = { dimensions: 256, encoding_format: 'base64', user: 'u', input_type: 'query' };
    expect(readInput('Hi', fields).parameters).toMatchObject(fields);
    expect(refusalOf({ model: 'm', input: 'Hi', dimensions: null, encoding_format: null, user: null })).toEqual([]);
  });

  it.each([
    ['no input', { model: 'm' }, 'input'],
    ['no model', { input: 'Hi' }, 'model'],
    ['an empty alias', { model: '', input: 'Hi' }, 'model'],
    ['an input of null', { model: 'm', input: null }, 'input'],
    ['a number for an input', { model: 'm', input: 1 }, 'input'],
    ['an empty list', { model: 'm', input: [] }, 'input'],
    ['too many texts', { model: 'm', input: Array(2049).fill('Hi') }, 'input'],
    ['too many lists of tokens', { model: 'm', input: Array.from({ length: 2049 }, () => [1]) }, 'input'],
    ['texts and tokens', { model: 'm', input: ['Hi', 1] }, 'input[1]'],
    ['tokens and texts', { model: 'm', input: [1, 'Hi'] }, 'input[1]'],
    ['an object for a text', { model: 'm', input: [{ text: 'Hi' }] }, 'input[0]'],
    ['half a token', { model: 'm', input: [1, 1.5] }, 'input[1]'],
    ['a token below zero', { model: 'm', input: [[1], [-1]] }, 'input[1][0]'],
    ['an empty list of tokens', { model: 'm', input: [[1], []] }, 'input[1]'],
    ['no dimensions', { model: 'm', input: 'Hi', dimensions: 0 }, 'dimensions'],
    ['half a dimension', { model: 'm', input: 'Hi', dimensions: 1.5 }, 'dimensions'],
    ['an unknown format', { model: 'm', input: 'Hi', encoding_format: 'int8' }, 'encoding_format'],
    ['a user who is no text', { model: 'm', input: 'Hi', user: 5 }, 'user'],
    ['an address', { model: 'm', input: 'Hi', api_base: 'http://x' }, 'api_base'],
    ['a system prompt', { model: 'm', input: 'Hi', prompt_template: { name: 'p' } }, 'prompt_template'],
  ])('is refused with %s', (_name, body, param) => expect(refusalOf(body)).toEqual(['validation_failed', param]));

  it('is refused without a body, and with what would cost far more than its size', () => {
    expect(() => EMBEDDINGS_DIALECT.read(undefined)).toThrow(AppError);
    expect(refusalOf({ model: 'm', input: Array(400_001).fill(1) })).toEqual(['malformed_request', null]);
  });
});
