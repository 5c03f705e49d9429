import { documented } from '../../../platform/http/body-schema.js';
import { MODEL_SCHEMA } from '../chat/chat.schema.js';

/** OpenAI takes no more inputs at once. */
export const MOST_INPUTS = 2048;

const MODEL = {
  ...MODEL_SCHEMA,
  description: 'An alias; not auto, since vectors of different models cannot be compared',
};

/** The first entry decides what the others have to be. */
const listOf = (type: 'string' | 'integer' | 'array', items: object, more: object = {}): object => ({
  if: { not: { items: [{ type }], minItems: 1 } },
  else: { items, ...more },
});

const TOKEN = { type: 'integer', minimum: 0, problem: 'must be a token, a whole number' };
const TOKENS = { type: 'array', minItems: 1, items: TOKEN, problem: 'must be a list of tokens' };
const INPUTS = { maxItems: MOST_INPUTS, problem: `must have at most ${MOST_INPUTS} entries` };

const PARAMETERS = {
  dimensions: {
    type: ['integer', 'null'],
    minimum: 1,
    problem: 'must be a whole number of at least 1',
  },
  encoding_format: { enum: ['float', 'base64', null], problem: 'must be float or base64' },
  user: { type: ['string', 'null'], problem: 'must be a text' },
};

/** What a request for vectors must look like whoever answers it; one list of tokens is one input, however long. */
export const EMBEDDINGS_SCHEMA = {
  type: 'object',
  required: ['model', 'input'],
  properties: {
    model: MODEL,
    input: {
      type: ['string', 'array'],
      minItems: 1,
      problem: 'must be a text, a list of texts, a list of tokens, or a list of lists of tokens',
      items: { type: ['string', 'integer', 'array'], problem: 'must be a text, a token, or a list of tokens' },
      if: { type: 'string' },
      else: {
        allOf: [
          listOf('string', { type: 'string', problem: 'must be a text, as the entries before it' }, INPUTS),
          listOf('array', TOKENS, INPUTS),
          listOf('integer', TOKEN),
        ],
      },
    },
    ...PARAMETERS,
  },
  additionalProperties: true,
};

const TOKENS_SHAPE = { type: 'array', minItems: 1, items: { type: 'integer', minimum: 0 } };

/** For the OpenAPI document, which has no conditions. */
export const EMBEDDINGS_BODY = {
  schema: documented({
    type: 'object',
    required: ['model', 'input'],
    properties: {
      model: MODEL,
      input: {
        description: 'Texts, or tokens where the provider speaks the wire format of OpenAI',
        oneOf: [
          { type: 'string' },
          { type: 'array', minItems: 1, maxItems: MOST_INPUTS, items: { type: 'string' } },
          TOKENS_SHAPE,
          { type: 'array', minItems: 1, maxItems: MOST_INPUTS, items: TOKENS_SHAPE },
        ],
      },
      dimensions: { type: 'integer', minimum: 1, nullable: true },
      encoding_format: {
        type: 'string',
        enum: ['float', 'base64'],
        nullable: true,
        description: 'float when left out',
      },
      user: { type: 'string', nullable: true },
    },
    additionalProperties: true,
    description: "OpenAI's embeddings request; parameters that are not named here are passed on as they are.",
  }),
};
