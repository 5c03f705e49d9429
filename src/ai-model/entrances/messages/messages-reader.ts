import { createHash } from 'node:crypto';
import { compileBodySchema, type BodyCheck } from '../../../platform/http/body-schema.js';
import { parseJsonObject } from '../../../platform/http/json-body.js';
import { refuseField, refuseForbidden, type IncomingCall } from '../../calls/incoming-call.js';
import { given, isGiven } from '../given.js';
import { toChatMessages } from './chat-messages.js';
import { refuseUnsupported } from './content-blocks.js';
import type { MessageParam, MessagesRequest } from './messages-request.js';
import { COUNT_SCHEMA, MESSAGES_SCHEMA } from './messages.schema.js';
import { toReasoningEffort } from './reasoning-effort.js';
import { translatedCall } from '../translated-call.js';
import { toChatTools } from './tools.js';

export interface ReadRequest {
  /** As the caller sent it. */
  request: MessagesRequest;
  call: IncomingCall;
}

type Parameters = Readonly<Record<string, unknown>>;

/** Said in OpenAI's words, or read for the answer alone. */
const HONOURED = new Set([
  'model',
  'messages',
  'max_tokens',
  'system',
  'stop_sequences',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'cache_control',
  'prompt_template',
]);

/** What an answer would be wrong without. */
const REFUSED: Readonly<Record<string, string>> = {
  container: 'the hub runs no code; there are no containers',
  mcp_servers: 'the hub calls no MCP servers; offer their tools in tools',
};

/** Values that ask for nothing but what is done anyway. */
const DEFAULTS: Readonly<Record<string, unknown>> = { service_tier: 'auto', speed: 'standard' };

const PARAMETER_NAME = /^[\w.-]{1,64}$/;
/** OpenAI takes no longer `user`. */
const MOST_OF_USER = 64;

const checkMessage = compileBodySchema(MESSAGES_SCHEMA);
const checkCount = compileBodySchema(COUNT_SCHEMA);

/** Anthropic's request as OpenAI's chat request. Throws `validation_failed` and `parameter_not_supported`. */
export const readMessagesRequest = (body: Buffer | undefined): ReadRequest => read(body, checkMessage);

/** The same for a request whose tokens are counted only. */
export const readCountRequest = (body: Buffer | undefined): ReadRequest => read(body, checkCount);

const read = (body: Buffer | undefined, check: BodyCheck): ReadRequest => {
  if (!body?.length) throw refuseField('messages', 'Send a JSON object with model, max_tokens and messages.');
  const sent = parseJsonObject(body);
  check(sent);
  const request = sent as unknown as MessagesRequest;
  refuseForbiddenIn(request);
  refuseWhatNobodyCan(request);
  const ignored = new Set(ignoredOf(request));
  const parameters = toChatParameters(request, ignored);
  const { model: alias, prompt_template: promptTemplate } = request;
  const call = translatedCall({ alias, stream: request.stream === true, parameters, promptTemplate, ignored });
  return { request, call };
};

/** In schemas and in the input of tools, names are the caller's own. */
const refuseForbiddenIn = (request: MessagesRequest): void => {
  const { output_config: _config, output_format: _format, messages, ...others } = request;
  refuseForbidden({ ...others, messages: messages.map(withoutInputs) });
};

const withoutInputs = ({ content, ...message }: MessageParam): unknown => ({
  ...message,
  content: typeof content === 'string' ? null : content.map((block) => ({ ...block, input: null })),
});

const refuseWhatNobodyCan = (request: MessagesRequest): void => {
  for (const [name, reason] of Object.entries(REFUSED)) {
    if (isGiven(request[name])) throw refuseUnsupported(name, reason);
  }
  const odd = Object.keys(request).find((name) => !PARAMETER_NAME.test(name));
  if (odd !== undefined) throw refuseField('', 'The body has a member whose name no parameter has.');
};

const ignoredOf = (request: MessagesRequest): string[] => {
  const { thinking, output_config: config } = request;
  return [
    ...Object.keys(request).filter((name) => !HONOURED.has(name) && asksForMore(name, request[name])),
    ...(thinking?.display === 'omitted' ? ['thinking.display'] : []),
    ...(thinking?.type === 'disabled' && isGiven(config?.effort) ? ['output_config.effort'] : []),
  ];
};

const asksForMore = (name: string, value: unknown): boolean => isGiven(value) && value !== DEFAULTS[name];

/** Null means the default, as does what is left out. */
const toChatParameters = (request: MessagesRequest, ignored: Set<string>): Parameters =>
  given({
    model: request.model,
    messages: toChatMessages(request, ignored),
    max_tokens: request.max_tokens,
    stop: request.stop_sequences?.length ? request.stop_sequences : null,
    temperature: request.temperature,
    top_p: request.top_p,
    top_k: request.top_k,
    ...toChatTools(request, ignored),
    reasoning_effort: toReasoningEffort(request),
    response_format: toResponseFormat(request),
    user: toUser(request.metadata?.user_id),
    stream: request.stream === true ? true : null,
  });

/** What Anthropic promises of a schema, OpenAI promises when it is strict. */
const toResponseFormat = ({ output_config: config, output_format: older }: MessagesRequest): Parameters | null => {
  const format = config?.format ?? older;
  if (!format) return null;
  return { type: 'json_schema', json_schema: { name: 'answer', schema: format.schema, strict: true } };
};

/** What is longer is told apart by its hash. */
const toUser = (id: string | null | undefined): string | null => {
  if (!isGiven(id) || id === '') return null;
  return id.length <= MOST_OF_USER ? id : createHash('sha256').update(id).digest('hex');
};
