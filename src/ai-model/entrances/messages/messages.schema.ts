import { documented } from '../../../platform/http/body-schema.js';
import { MODEL_SCHEMA } from '../chat/chat.schema.js';

const TEXT = { type: 'string', problem: 'must be a text' };
const TEXT_OR_NULL = { type: ['string', 'null'], problem: 'must be a text' };
const FLAG = { type: ['boolean', 'null'], problem: 'must be true or false' };
const NUMBER = { type: ['number', 'null'], problem: 'must be a number' };
const OBJECT = { type: ['object', 'null'], problem: 'must be an object' };

const whenType = (type: string, schema: object): object => ({
  if: { required: ['type'], properties: { type: { const: type } } },
  // oxlint-disable-next-line unicorn/no-thenable -- the word of JSON schema
  then: schema,
});

const withTexts = (...names: string[]): { required: string[]; properties: Record<string, object> } => ({
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, TEXT])),
});

const BLOCKS = { type: 'array', problem: 'must be a list of blocks', items: { $ref: '#/definitions/block' } };
const TEXT_OR_BLOCKS = { ...BLOCKS, type: ['string', 'array'], problem: 'must be a text or a list of blocks' };

const sourceOf = (...types: string[]): object => ({
  type: 'object',
  required: ['type'],
  problem: `must be a source with a type: ${types.join(', ')}`,
  properties: { type: { enum: types, problem: `must be one of ${types.join(', ')}` } },
  allOf: [
    whenType('base64', withTexts('media_type', 'data')),
    whenType('url', withTexts('url')),
    whenType('text', withTexts('data')),
    whenType('content', { required: ['content'], properties: { content: TEXT_OR_BLOCKS } }),
  ],
});

const DOCUMENT = {
  required: ['source'],
  properties: {
    source: sourceOf('base64', 'text', 'content', 'url', 'file'),
    title: TEXT_OR_NULL,
    context: TEXT_OR_NULL,
    citations: OBJECT,
  },
};

const TOOL_RESULT = {
  required: ['tool_use_id'],
  properties: {
    tool_use_id: TEXT,
    content: { ...TEXT_OR_BLOCKS, type: ['string', 'array', 'null'] },
    is_error: FLAG,
  },
};

const BLOCK = {
  type: 'object',
  required: ['type'],
  problem: 'must be a block with a type',
  properties: { type: { type: 'string', problem: 'must be the type of a block, such as text' } },
  allOf: [
    whenType('text', withTexts('text')),
    whenType('image', { required: ['source'], properties: { source: sourceOf('base64', 'url', 'file') } }),
    whenType('document', DOCUMENT),
    whenType('search_result', {
      required: ['source', 'title', 'content'],
      properties: { source: TEXT, title: TEXT, content: BLOCKS },
    }),
    whenType('tool_use', { required: ['id', 'name'], properties: { id: TEXT, name: TEXT, input: OBJECT } }),
    whenType('tool_result', TOOL_RESULT),
    whenType('thinking', { required: ['thinking'], properties: { thinking: TEXT, signature: TEXT_OR_NULL } }),
    whenType('redacted_thinking', withTexts('data')),
  ],
};

const MESSAGE = {
  type: 'object',
  required: ['role', 'content'],
  problem: 'must be a message with role and content',
  properties: {
    role: { enum: ['user', 'assistant', 'system'], problem: 'must be user or assistant' },
    content: TEXT_OR_BLOCKS,
  },
};

/** What Anthropic defines itself is refused with a reason, later. */
const TOOL = {
  type: 'object',
  problem: 'must be a tool with name and input_schema',
  properties: { type: TEXT_OR_NULL },
  if: { properties: { type: { enum: ['custom', null] } } },
  // oxlint-disable-next-line unicorn/no-thenable -- the word of JSON schema
  then: {
    required: ['name', 'input_schema'],
    properties: {
      name: { type: 'string', minLength: 1, problem: 'must be the name of the tool' },
      description: TEXT_OR_NULL,
      input_schema: { type: 'object', problem: 'must be the JSON schema of an object' },
      strict: FLAG,
    },
  },
};

const TOOL_CHOICE = {
  ...OBJECT,
  required: ['type'],
  problem: 'must be an object with a type',
  properties: {
    type: { enum: ['auto', 'any', 'tool', 'none'], problem: 'must be auto, any, tool or none' },
    disable_parallel_tool_use: FLAG,
  },
  allOf: [whenType('tool', withTexts('name'))],
};

const THINKING = {
  ...OBJECT,
  required: ['type'],
  problem: 'must be an object with a type',
  properties: {
    type: {
      enum: ['enabled', 'disabled', 'adaptive', 'between_tools'],
      problem: 'must be enabled, disabled, adaptive or between_tools',
    },
  },
  allOf: [
    whenType('enabled', {
      required: ['budget_tokens'],
      properties: {
        budget_tokens: { type: 'integer', minimum: 1024, problem: 'must be a whole number from 1024 on' },
      },
    }),
  ],
};

const FORMAT = {
  ...OBJECT,
  required: ['type', 'schema'],
  problem: 'must be an object with type json_schema and a schema',
  properties: {
    type: { const: 'json_schema', problem: 'must be json_schema' },
    schema: { type: 'object', problem: 'must be a JSON schema' },
  },
};

const MESSAGES = {
  type: 'array',
  minItems: 1,
  items: MESSAGE,
  problem: 'must be a list with at least one message',
};
const MAX_TOKENS = { type: 'integer', minimum: 1, problem: 'must be a whole number from 1 on' };

/** What is read of a request, apart from `max_tokens`. */
const PARAMETERS = {
  model: MODEL_SCHEMA,
  messages: MESSAGES,
  system: { ...TEXT_OR_BLOCKS, type: ['string', 'array', 'null'], problem: 'must be a text or a list of text blocks' },
  stop_sequences: { type: ['array', 'null'], items: TEXT, problem: 'must be a list of texts' },
  stream: FLAG,
  temperature: NUMBER,
  top_p: NUMBER,
  top_k: { type: ['integer', 'null'], problem: 'must be a whole number' },
  tools: { type: ['array', 'null'], items: TOOL, problem: 'must be a list of tools' },
  tool_choice: TOOL_CHOICE,
  thinking: THINKING,
  output_config: {
    ...OBJECT,
    properties: {
      effort: {
        enum: ['low', 'medium', 'high', 'xhigh', 'max', null],
        problem: 'must be low, medium, high, xhigh or max',
      },
      format: FORMAT,
    },
  },
  output_format: FORMAT,
  metadata: { ...OBJECT, properties: { user_id: TEXT_OR_NULL } },
  cache_control: OBJECT,
};

/** What a request to count tokens must look like: it need not say how many may be written. */
export const COUNT_SCHEMA = {
  type: 'object',
  required: ['model', 'messages'],
  properties: PARAMETERS,
  definitions: { block: BLOCK },
};

/** What a request must look like whoever answers it. `prompt_template` has a reader of its own. */
export const MESSAGES_SCHEMA = {
  ...COUNT_SCHEMA,
  required: ['model', 'max_tokens', 'messages'],
  properties: { ...PARAMETERS, max_tokens: MAX_TOKENS },
};

const DOCUMENTED = {
  model: MODEL_SCHEMA,
  messages: {
    type: 'array',
    minItems: 1,
    description:
      'Texts, or lists of blocks: text, image, document, search_result, tool_use, tool_result, thinking, redacted_thinking',
    items: {
      type: 'object',
      required: ['role', 'content'],
      properties: { role: { enum: ['user', 'assistant', 'system'] }, content: {} },
    },
  },
  system: { description: 'A text, or a list of text blocks' },
  tools: { type: 'array', nullable: true, items: { type: 'object', description: 'name, description, input_schema' } },
  thinking: {
    type: 'object',
    nullable: true,
    description:
      'budget_tokens up to 4096 is reasoning_effort low, up to 16384 medium, above high; output_config.effort counts before it',
  },
};

const description =
  "Anthropic's request and prompt_template. Parameters that the hub cannot honour are named in x-hub-ignored-parameters.";

/** For the OpenAPI document. */
export const MESSAGES_BODY = {
  schema: documented({
    type: 'object',
    required: ['model', 'max_tokens', 'messages'],
    properties: { ...DOCUMENTED, max_tokens: MAX_TOKENS, stream: { type: 'boolean', nullable: true } },
    additionalProperties: true,
    description,
  }),
};

export const COUNT_BODY = {
  schema: documented({
    type: 'object',
    required: ['model', 'messages'],
    properties: DOCUMENTED,
    additionalProperties: true,
    description: "Anthropic's request, as for a message; max_tokens may be left out.",
  }),
};
