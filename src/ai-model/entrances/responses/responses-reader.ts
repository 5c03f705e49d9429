import type { AppError } from '../../../platform/errors/app-error.js';
import { compileBodySchema } from '../../../platform/http/body-schema.js';
import { parseJsonObject } from '../../../platform/http/json-body.js';
import { refuseField, refuseForbidden, type IncomingCall } from '../../calls/incoming-call.js';
import { refuseUnsupported } from './content-parts.js';
import { given, isGiven } from '../given.js';
import { toChatMessages } from './input-items.js';
import { RESPONSES_SCHEMA } from './responses.schema.js';
import type { ResponsesRequest, TextFormat } from './responses-request.js';
import { translatedCall } from '../translated-call.js';
import { toChatToolChoice, toChatTools } from './tools.js';

export interface ReadRequest {
  /** As the caller sent it. */
  request: ResponsesRequest;
  call: IncomingCall;
}

type Parameters = Readonly<Record<string, unknown>>;

/** Called the same in both formats, meaning the same. */
const SHARED = [
  'temperature',
  'top_p',
  'parallel_tool_calls',
  'service_tier',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
];

/** Read here, and said otherwise in the chat format, or in the answer alone. */
const READ = [
  'model',
  'input',
  'instructions',
  'stream',
  'stream_options',
  'max_output_tokens',
  'top_logprobs',
  'include',
  'tools',
  'tool_choice',
  'text',
  'reasoning',
  'metadata',
  'store',
  'background',
  'truncation',
  'prompt_template',
];

/** What the answer would be without, and no worse for it. */
const WITHOUT_EFFECT = ['context_management', 'max_tool_calls', 'client_metadata'];

const WHOLE_INPUT = 'the hub keeps no responses; send the whole input with each request';
/** What an answer would be wrong without. */
const REFUSED: Readonly<Record<string, string>> = {
  previous_response_id: WHOLE_INPUT,
  conversation: WHOLE_INPUT,
  prompt: "prompts that are stored at OpenAI are not known here; the hub's own are named by prompt_template",
  moderation: 'the hub moderates nothing',
};

/** Chat's names of what a Responses request says otherwise. */
const OF_CHAT: Readonly<Record<string, string>> = {
  messages: 'input',
  max_tokens: 'max_output_tokens',
  max_completion_tokens: 'max_output_tokens',
  response_format: 'text.format',
  verbosity: 'text.verbosity',
  reasoning_effort: 'reasoning.effort',
  functions: 'tools',
  function_call: 'tool_choice',
  logprobs: 'top_logprobs',
};
const CHAT_ALONE = ['n', 'modalities', 'audio', 'prediction', 'web_search_options'];

const KNOWN = new Set([...SHARED, ...READ, ...WITHOUT_EFFECT, ...Object.keys(REFUSED)]);
const LOGPROBS = 'message.output_text.logprobs';
const HONOURED_INCLUDES = new Set([LOGPROBS, 'reasoning.encrypted_content']);

const check = compileBodySchema(RESPONSES_SCHEMA);

/** A Responses request as OpenAI's chat request. Throws `validation_failed` and `parameter_not_supported`. */
export const readResponsesRequest = (body: Buffer | undefined): ReadRequest => {
  if (!body?.length) throw refuseField('input', 'Send a JSON object with model and input.');
  const sent = parseJsonObject(body);
  check(sent);
  const request = sent as ResponsesRequest;
  refuseForbidden(request);
  refuseWhatNobodyCan(request);
  const ignored = new Set(ignoredOf(request));
  const parameters = toChatParameters(request, ignored);
  const { model: alias, prompt_template: promptTemplate } = request;
  const call = translatedCall({ alias, stream: request.stream === true, parameters, promptTemplate, ignored });
  return { request, call };
};

const refuseWhatNobodyCan = (request: ResponsesRequest): void => {
  if (request.background === true) {
    throw refuseUnsupported('background', 'background: the hub answers while the caller waits, or streams.');
  }
  for (const [name, reason] of Object.entries(REFUSED)) {
    if (isGiven(request[name])) throw refuseUnsupported(name, `${name}: ${reason}.`);
  }
  for (const name of Object.keys(request)) {
    if (isGiven(request[name])) refuseChatName(name);
  }
};

const refuseChatName = (name: string): void => {
  if (Object.hasOwn(OF_CHAT, name))
    throw refuseField(name, `${name} is called ${OF_CHAT[name]} in a Responses request.`);
  if (CHAT_ALONE.includes(name)) throw unknownHere(name);
};

const unknownHere = (name: string): AppError =>
  refuseUnsupported(name, `${name} is no parameter of a Responses request; /v1/chat/completions takes it.`);

const ignoredOf = (request: ResponsesRequest): string[] => {
  const { store, truncation, include, stream_options: options, reasoning } = request;
  const effectless = WITHOUT_EFFECT.filter((name) => isGiven(request[name]));
  return [
    ...effectless,
    ...(store === true ? ['store'] : []),
    ...(isGiven(truncation) && truncation !== 'disabled' ? ['truncation'] : []),
    ...(include?.some((entry) => !HONOURED_INCLUDES.has(entry)) ? ['include'] : []),
    ...(options?.include_obfuscation === true ? ['stream_options.include_obfuscation'] : []),
    ...(isGiven((reasoning as Parameters | undefined | null)?.['mode']) ? ['reasoning.mode'] : []),
    ...(isGiven((reasoning as Parameters | undefined | null)?.['context']) ? ['reasoning.context'] : []),
  ];
};

/** Null means the default, as does what is left out. What is not known here is the provider's to judge. */
const toChatParameters = (request: ResponsesRequest, ignored: Set<string>): Parameters => {
  const { max_output_tokens: most, tools, tool_choice: choice, text, reasoning } = request;
  const others = Object.entries(request).filter(([name]) => SHARED.includes(name) || !KNOWN.has(name));
  const parameters = {
    model: request.model,
    messages: toChatMessages(request, ignored),
    max_completion_tokens: most,
    tools: tools?.length ? toChatTools(tools) : null,
    tool_choice: isGiven(choice) ? toChatToolChoice(choice) : null,
    response_format: text?.format ? toResponseFormat(text.format) : null,
    verbosity: text?.verbosity,
    reasoning_effort: reasoning?.effort,
    ...logprobsOf(request),
    stream: request.stream === true ? true : null,
  };
  // Own members all of them, whatever they are called.
  return given({ ...Object.fromEntries(others), ...parameters });
};

const toResponseFormat = ({ type, name, description, schema, strict }: TextFormat): Parameters | null => {
  if (type === 'text') return null;
  if (type === 'json_object') return { type };
  return { type, json_schema: given({ name, description, strict, schema }) };
};

const logprobsOf = ({ include, top_logprobs: most }: ResponsesRequest): Parameters =>
  include?.includes(LOGPROBS) || most ? { logprobs: true, top_logprobs: most } : {};
