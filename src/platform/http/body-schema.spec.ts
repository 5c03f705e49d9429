import { describe, expect, it } from '@jest/globals';
import { AppError } from '../errors/app-error.js';
import { compileBodySchema, documented } from './body-schema.js';

const SCHEMA = {
  type: 'object',
  required: ['model'],
  properties: {
    model: { type: 'string', problem: 'must be an alias' },
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['kind'],
        properties: { kind: { enum: ['a', 'b'] }, 'x/y~z': { type: 'number' } },
      },
    },
  },
};
const check = compileBodySchema(SCHEMA);
const refusalOf = (body: unknown): unknown[] => {
  try {
    check(body);
  } catch (error) {
    if (error instanceof AppError) return [error.code, error.param, error.detail];
  }
  return [];
};

describe('a compiled schema', () => {
  it('lets pass what fits, unknown members included', () => {
    expect(refusalOf({ model: 'm', items: [{ kind: 'a', more: 1 }], other: null })).toEqual([]);
  });

  it.each([
    [{}, 'model', 'model must be an alias.'],
    [{ model: 7 }, 'model', 'model must be an alias.'],
    [{ model: 'm', items: [{ kind: 'a' }, {}] }, 'items[1].kind', 'items[1].kind is required.'],
    [
      { model: 'm', items: [{ kind: 'c' }] },
      'items[0].kind',
      'items[0].kind must be equal to one of the allowed values.',
    ],
    [{ model: 'm', items: [{ kind: 'a', 'x/y~z': '1' }] }, 'items[0].x/y~z', 'items[0].x/y~z must be number.'],
    [[], '', 'The body must be object.'],
  ])('names the field of %j', (body, param, detail) => {
    expect(refusalOf(body)).toEqual(['validation_failed', param, detail]);
  });

  it('is documented without what is ours', () => {
    expect(JSON.stringify(documented(SCHEMA))).not.toContain('problem');
    expect(documented(SCHEMA).required).toEqual(['model']);
  });
});
