import type { JSONSchema7, LanguageModelV3CallOptions, LanguageModelV3FunctionTool } from '@ai-sdk/provider';
import { isPlainObject } from '../../../contract/fields.js';
import { AppError } from '../../../platform/errors/app-error.js';
import { refuseField } from '../../calls/incoming-call.js';
import type { ChatRequest } from '../provider.js';
import { ParameterReader } from './parameter-reader.js';
import { lacksThoughts, PromptReader } from './prompt.js';
import { type SdkWire, withOptions } from './sdk-wire.js';

/** A call for the library, and what of the caller's request is not in it. */
export interface PreparedCall {
  options: LanguageModelV3CallOptions;
  ignored: string[];
}

const refuse = (param: string, detail: string): AppError => new AppError('parameter_not_supported', { detail, param });

/** Asks for something that changes what an answer is: leaving it out would be an answer to another question. */
const REFUSED: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value !== 1,
  logprobs: (value) => value !== false,
  top_logprobs: (value) => value !== 0,
  logit_bias: (value) => !isPlainObject(value) || Object.keys(value).length > 0,
  audio: () => true,
  modalities: (value) => !Array.isArray(value) || value.some((kind) => kind !== 'text'),
  functions: () => true,
  function_call: () => true,
  web_search_options: () => true,
};

const INSTEAD: Partial<Record<string, string>> = {
  functions: ' Send tools instead.',
  function_call: ' Send tool_choice instead.',
};

/** Ask for nothing, so that nobody need be told that they are not sent. */
const NEUTRAL: Readonly<Record<string, unknown>> = {
  store: false,
  service_tier: 'auto',
  parallel_tool_calls: true,
  frequency_penalty: 0,
  presence_penalty: 0,
};

/** Read here, or of no concern to a provider. */
const READ = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'prompt_template',
  ...Object.keys(REFUSED),
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'tools',
  'tool_choice',
  'response_format',
  'reasoning_effort',
]);

/** A name that may stand in a header; so many of them at most. */
const NAME = /^[\w.-]{1,64}$/;
const MOST_IGNORED = 20;

const isAsked = (name: string, value: unknown): boolean =>
  value !== null && value !== undefined && NEUTRAL[name] !== value;

const toTool = (tool: unknown, index: number): LanguageModelV3FunctionTool => {
  const at = `tools[${index}]`;
  const { type, function: given, cache_control: mark } = isPlainObject(tool) ? tool : {};
  if (type !== 'function') throw refuse(`${at}.type`, `${at}.type must be function for this model.`);
  const { name, description, parameters, strict } = isPlainObject(given) ? given : {};
  if (typeof name !== 'string' || name === '')
    throw refuseField(`${at}.function.name`, `${at}.function.name is required.`);
  return {
    type: 'function',
    name,
    ...(typeof description === 'string' && { description }),
    inputSchema: (isPlainObject(parameters) ? parameters : { type: 'object', properties: {} }) as JSONSchema7,
    ...(strict === true && { strict }),
    ...(isPlainObject(mark) && { providerOptions: { anthropic: { cacheControl: mark as Record<string, never> } } }),
  };
};

const toToolChoice = (choice: unknown): LanguageModelV3CallOptions['toolChoice'] => {
  if (choice === null || choice === undefined) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  const { type, function: given } = isPlainObject(choice) ? choice : {};
  const name = isPlainObject(given) ? given['name'] : undefined;
  if (type === 'function' && typeof name === 'string') return { type: 'tool', toolName: name };
  throw refuse('tool_choice', 'tool_choice must be auto, none, required or the name of a function for this model.');
};

const toResponseFormat = (format: unknown): LanguageModelV3CallOptions['responseFormat'] => {
  if (!isPlainObject(format) || format['type'] === 'text') return undefined;
  if (format['type'] === 'json_object') return { type: 'json' };
  const given = format['json_schema'];
  const { schema, name, description } = isPlainObject(given) ? given : {};
  if (format['type'] !== 'json_schema' || !isPlainObject(schema))
    throw refuseField('response_format', 'response_format must be text, json_object, or json_schema with a schema.');
  return {
    type: 'json',
    schema: schema as JSONSchema7,
    ...(typeof name === 'string' && { name }),
    ...(typeof description === 'string' && { description }),
  };
};

const toStop = (stop: unknown): string[] | undefined => {
  if (stop === null || stop === undefined) return undefined;
  const list: unknown[] = Array.isArray(stop) ? stop : [stop];
  if (!list.every((text) => typeof text === 'string'))
    throw refuseField('stop', 'stop must be a text or a list of texts.');
  return list.length > 0 ? list : undefined;
};

const refuseUnsupported = (parameters: ChatRequest['parameters'], wire: SdkWire): void => {
  for (const [name, isRefused] of Object.entries(REFUSED)) {
    const value = parameters[name];
    if (value === null || value === undefined || !isRefused(value)) continue;
    throw refuse(name, `${wire.name} cannot honour ${name}.${INSTEAD[name] ?? ''}`);
  }
};

/** Those of the names that the caller can be told in a header. */
export const tellable = (names: readonly string[]): string[] =>
  names.filter((name) => NAME.test(name)).slice(0, MOST_IGNORED);

/** What neither the library nor the provider is told of. */
const ignoredIn = (parameters: ChatRequest['parameters'], wire: SdkWire): string[] =>
  Object.entries(parameters)
    .filter(([name, value]) => !READ.has(name) && !Object.hasOwn(wire.optionOf, name) && isAsked(name, value))
    .map(([name]) => name);

/** What the library leaves out, or sends all the same, and says nothing of it. */
const unknownTo = ({ lacks = [] }: SdkWire, parameters: ChatRequest['parameters']): string[] => {
  const { top_k: topK, response_format: format } = parameters;
  const isPlainJson = isPlainObject(format) && format['type'] === 'json_object';
  return [
    ...(lacks.includes('top_k') && isAsked('top_k', topK) ? ['top_k'] : []),
    ...(lacks.includes('json_object') && isPlainJson ? ['response_format'] : []),
  ];
};

/** OpenAI's chat request as the library takes it, with the config's defaults. Throws before anything is sent. */
export const toCall = ({ model, parameters }: ChatRequest, wire: SdkWire): PreparedCall => {
  refuseUnsupported(parameters, wire);
  const reader = new ParameterReader(parameters);
  const ignored = tellable(ignoredIn(parameters, wire));
  const asked = reader.integer('max_completion_tokens') ?? reader.integer('max_tokens');
  const maxTokens = asked ?? (wire.requiresMaxTokens ? model.max_tokens : null);
  const thinking = toThinking(model, parameters, wire, maxTokens);
  if (thinking === null) ignored.push('reasoning_effort');
  const unknown = unknownTo(wire, parameters);
  ignored.push(...unknown);
  const tools = Array.isArray(parameters['tools']) ? parameters['tools'].map(toTool) : undefined;
  const maxOutputTokens = thinking?.maxTokens ?? maxTokens ?? undefined;
  const own = toOwnOptions(parameters, wire);
  return {
    ignored,
    options: {
      prompt: new PromptReader(wire, model.model_name).read(parameters['messages']),
      maxOutputTokens,
      temperature: reader.number('temperature') ?? model.default_temperature ?? undefined,
      topP: reader.number('top_p') ?? model.default_top_p ?? undefined,
      topK: unknown.includes('top_k') ? undefined : reader.integer('top_k'),
      stopSequences: toStop(parameters['stop']),
      seed: reader.integer('seed'),
      frequencyPenalty: reader.number('frequency_penalty') || undefined,
      presencePenalty: reader.number('presence_penalty') || undefined,
      responseFormat: toResponseFormat(parameters['response_format']),
      ...(tools && tools.length > 0 && { tools, toolChoice: toToolChoice(parameters['tool_choice']) }),
      providerOptions: withOptions(wire, { ...wire.always, ...own, ...thinking?.options }),
    },
  };
};

type Thinking = ReturnType<SdkWire['reasoning']>;

/** null: asked for, and not possible. */
const toThinking = (
  model: ChatRequest['model'],
  parameters: ChatRequest['parameters'],
  wire: SdkWire,
  maxTokens: number | null,
): Thinking => {
  const effort = parameters['reasoning_effort'];
  if (effort === null || effort === undefined) return { options: {} };
  if (typeof effort !== 'string')
    throw refuseField('reasoning_effort', 'reasoning_effort must be a text, such as low.');
  return wire.reasoning({ model, effort, maxTokens, lacksThoughts: lacksThoughts(parameters['messages']) });
};

const toOwnOptions = (parameters: ChatRequest['parameters'], wire: SdkWire): Record<string, unknown> =>
  Object.assign(
    {},
    ...Object.entries(wire.optionOf).map(([name, toOption]) =>
      isAsked(name, parameters[name]) ? (toOption(parameters[name]) ?? {}) : {},
    ),
  ) as Record<string, unknown>;
