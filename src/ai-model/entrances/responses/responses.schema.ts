import { documented } from '../../../platform/http/body-schema.js';
import { MODEL_SCHEMA } from '../chat/chat.schema.js';

const TEXT = { type: 'string', problem: 'must be a text' };
const TEXT_OR_NULL = { type: ['string', 'null'], problem: 'must be a text' };
const FLAG = { type: ['boolean', 'null'], problem: 'must be true or false' };
const NUMBER = { type: ['number', 'null'], problem: 'must be a number' };
const OBJECT = { type: ['object', 'null'], problem: 'must be an object' };

// oxlint-disable-next-line unicorn/no-thenable -- the word of JSON schema
const when = (condition: object, then: object): object => ({ if: condition, then });

const whenType = (type: string, schema: object): object =>
  when({ required: ['type'], properties: { type: { const: type } } }, schema);

const withTexts = (...names: string[]): object => ({
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, TEXT])),
});

const IMAGE = {
  properties: {
    image_url: { type: ['string', 'null'], problem: 'must be a URL or a data URL, as text' },
    file_id: TEXT_OR_NULL,
    detail: { enum: ['auto', 'low', 'high', 'original', null], problem: 'must be auto, low, high or original' },
  },
};

const FILE = {
  properties: {
    file_data: { type: ['string', 'null'], problem: 'must be a data URL, as text' },
    file_url: { type: ['string', 'null'], problem: 'must be a URL, as text' },
    file_id: TEXT_OR_NULL,
    filename: TEXT_OR_NULL,
  },
};

const AUDIO = {
  required: ['input_audio'],
  properties: {
    input_audio: { type: 'object', problem: 'must be an object with data and format', ...withTexts('data', 'format') },
  },
};

const PART = {
  type: 'object',
  required: ['type'],
  problem: 'must be a part with a type',
  properties: { type: { type: 'string', problem: 'must be the type of a part, such as input_text' } },
  allOf: [
    whenType('input_text', withTexts('text')),
    whenType('output_text', withTexts('text')),
    whenType('refusal', withTexts('refusal')),
    whenType('input_image', IMAGE),
    whenType('input_file', FILE),
    whenType('input_audio', AUDIO),
  ],
};

const CONTENT = { type: ['string', 'array'], problem: 'must be a text or a list of parts', items: PART };

const MESSAGE = {
  required: ['role', 'content'],
  properties: {
    role: {
      enum: ['user', 'assistant', 'system', 'developer'],
      problem: 'must be user, assistant, system or developer',
    },
    content: CONTENT,
  },
};

const OUTPUT = { required: ['call_id', 'output'], properties: { call_id: TEXT, output: CONTENT } };

const THOUGHTS = {
  type: ['array', 'null'],
  problem: 'must be a list of texts',
  items: { type: 'object', problem: 'must be an object with a text', ...withTexts('text') },
};

const ITEM = {
  type: 'object',
  problem: 'must be a message with role and content, or an item with a type',
  properties: { type: { type: 'string', problem: 'must be the type of an item, such as message' } },
  allOf: [
    // Of a message alone the type may be left out.
    when({ properties: { type: { const: 'message' } } }, MESSAGE),
    whenType('function_call', withTexts('call_id', 'name', 'arguments')),
    whenType('custom_tool_call', withTexts('call_id', 'name', 'input')),
    whenType('function_call_output', OUTPUT),
    whenType('custom_tool_call_output', OUTPUT),
    whenType('reasoning', {
      properties: { summary: THOUGHTS, content: THOUGHTS, encrypted_content: TEXT_OR_NULL, id: TEXT_OR_NULL },
    }),
  ],
};

const NAMED = {
  required: ['name'],
  properties: { name: { type: 'string', minLength: 1, problem: 'must be the name of the tool' } },
};

const TOOL = {
  type: 'object',
  required: ['type'],
  problem: 'must be a tool with a type',
  properties: { type: { type: 'string', problem: 'must be the type of a tool, such as function' } },
  allOf: [
    whenType('function', {
      ...NAMED,
      properties: { ...NAMED.properties, description: TEXT_OR_NULL, parameters: OBJECT, strict: FLAG },
    }),
    whenType('custom', { ...NAMED, properties: { ...NAMED.properties, description: TEXT_OR_NULL, format: OBJECT } }),
  ],
};

const TOOL_CHOICE = {
  type: ['string', 'object', 'null'],
  problem: 'must be none, auto, required, or an object with a type',
  required: ['type'],
  properties: {
    type: { type: 'string', problem: 'must be the type of the choice, such as function' },
    name: TEXT,
    mode: TEXT,
    tools: { type: 'array', problem: 'must be a list of tools', items: TOOL },
  },
};

const FORMAT = {
  type: ['object', 'null'],
  required: ['type'],
  problem: 'must be an object with a type',
  properties: {
    type: { enum: ['text', 'json_object', 'json_schema'], problem: 'must be text, json_object or json_schema' },
    description: TEXT_OR_NULL,
    strict: FLAG,
  },
  allOf: [
    whenType('json_schema', {
      required: ['name', 'schema'],
      properties: { name: TEXT, schema: { type: 'object', problem: 'must be a JSON schema' } },
    }),
  ],
};

/** Everything but `input`, which the OpenAPI document shows in a simpler way. */
const PARAMETERS = {
  model: MODEL_SCHEMA,
  instructions: TEXT_OR_NULL,
  stream: FLAG,
  max_output_tokens: { type: ['integer', 'null'], minimum: 1, problem: 'must be a whole number from 1 on' },
  temperature: NUMBER,
  top_p: NUMBER,
  top_logprobs: { type: ['integer', 'null'], minimum: 0, maximum: 20, problem: 'must be a whole number from 0 to 20' },
  include: { type: ['array', 'null'], items: TEXT, problem: 'must be a list of texts' },
  tools: { type: ['array', 'null'], items: TOOL, problem: 'must be a list of tools' },
  tool_choice: TOOL_CHOICE,
  parallel_tool_calls: FLAG,
  text: { ...OBJECT, properties: { format: FORMAT, verbosity: TEXT_OR_NULL } },
  reasoning: {
    ...OBJECT,
    properties: { effort: TEXT_OR_NULL, summary: TEXT_OR_NULL, generate_summary: TEXT_OR_NULL },
  },
  metadata: { ...OBJECT, additionalProperties: TEXT, problem: 'must be an object with texts in it' },
  service_tier: TEXT_OR_NULL,
  user: TEXT_OR_NULL,
  safety_identifier: TEXT_OR_NULL,
  prompt_cache_key: TEXT_OR_NULL,
  store: FLAG,
  background: FLAG,
  truncation: TEXT_OR_NULL,
  stream_options: { ...OBJECT, properties: { include_obfuscation: FLAG } },
};

/** What a Responses request must look like whoever answers it. `prompt_template` has a reader of its own. */
export const RESPONSES_SCHEMA = {
  type: 'object',
  required: ['model', 'input'],
  properties: {
    ...PARAMETERS,
    input: {
      type: ['string', 'array'],
      minItems: 1,
      problem: 'must be a text or a list with at least one item',
      items: ITEM,
    },
  },
};

const DOCUMENTED_INPUT = {
  description:
    'A text, or a list of items: messages with input_text, input_image, input_file, input_audio, output_text and refusal parts; function_call and function_call_output; custom_tool_call and custom_tool_call_output; reasoning',
  oneOf: [{ type: 'string' }, { type: 'array', minItems: 1, items: { type: 'object' } }],
};

/** For the OpenAPI document. */
export const RESPONSES_BODY = {
  schema: documented({
    type: 'object',
    required: ['model', 'input'],
    properties: {
      model: MODEL_SCHEMA,
      input: DOCUMENTED_INPUT,
      instructions: { type: 'string', nullable: true },
      stream: { type: 'boolean', nullable: true },
      max_output_tokens: { type: 'integer', nullable: true },
      tools: { type: 'array', nullable: true, items: { type: 'object', description: 'type function or custom' } },
      text: { type: 'object', nullable: true, description: 'format: text, json_object or json_schema; verbosity' },
      reasoning: { type: 'object', nullable: true, description: 'effort; summary: where the thoughts are put' },
    },
    additionalProperties: true,
    description: "OpenAI's Responses request and prompt_template. The hub keeps no responses: send the whole input.",
  }),
};
