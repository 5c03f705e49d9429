import { documented } from '../../../platform/http/body-schema.js';

/** An alias, or `auto`. */
export const MODEL_SCHEMA = {
  type: 'string',
  minLength: 1,
  maxLength: 200,
  description: 'An alias, or auto',
  problem: 'must be the alias of a model',
};

/** What a chat request must look like whoever answers it. `prompt_template` has a reader of its own. */
export const CHAT_SCHEMA = {
  type: 'object',
  required: ['model', 'messages'],
  properties: {
    model: MODEL_SCHEMA,
    messages: {
      type: 'array',
      minItems: 1,
      problem: 'must be a list with at least one message',
      items: {
        type: 'object',
        required: ['role'],
        problem: 'must be a message with a role and a content',
        properties: {
          role: { type: 'string', problem: 'must be the role of a message, such as user' },
          content: {
            type: ['string', 'array', 'null'],
            problem: 'must be a text or a list of parts',
            items: {
              type: 'object',
              required: ['type'],
              problem: 'must be a part with a type',
              properties: { type: { type: 'string', problem: 'must be the type of a part, such as text' } },
            },
          },
        },
      },
    },
    stream: { type: ['boolean', 'null'], problem: 'must be true or false' },
  },
  additionalProperties: true,
  description:
    "OpenAI's chat request and prompt_template; parameters that are not named here are passed on as they are.",
};

const PROMPT_TEMPLATE = {
  type: 'object',
  required: ['name'],
  nullable: true,
  description:
    "A system prompt of the hub, put before the messages, in place of the model's own; production when neither label nor version is given",
  properties: {
    name: { type: 'string' },
    label: { type: 'string', nullable: true },
    version: { type: 'integer', nullable: true },
    variables: { type: 'object', additionalProperties: true, nullable: true },
  },
  additionalProperties: false,
};

/** For the OpenAPI document. */
export const CHAT_BODY = {
  schema: documented({ ...CHAT_SCHEMA, properties: { ...CHAT_SCHEMA.properties, prompt_template: PROMPT_TEMPLATE } }),
};
