import { AppError } from '../../platform/errors/app-error.js';
import { parseJsonObject } from '../../platform/http/json-body.js';
import { MAX_DEPTH } from '../../platform/http/json-cost.js';
import { readPromptRequest, type PromptRequest } from './prompt-request.js';
import { JsonShapeError, scanTopLevel, type TopLevel } from './wire/json-object-editor.js';

/** A caller names an alias and nothing else: where a call goes and with which key is the hub's business. */
const NOT_THE_CALLERS = new Set(['api_base', 'base_url', 'api_key']);
/** Inside these, names are the caller's own: JSON schemas of tools and answers, variables of a prompt. */
const WITH_NAMES = new Set(['tools', 'functions', 'response_format', 'prompt_template']);

/** What the hub needs to know of a chat call before it knows the model. */
export interface IncomingChat {
  alias: string;
  body: Buffer;
  /** Where the members of `body` stand. */
  topLevel: TopLevel;
  parameters: Readonly<Record<string, unknown>>;
  stream: boolean;
  /** The caller asked for the usage chunk of a stream. */
  wantsUsage: boolean;
  /** The system prompt the caller named; null: none. */
  prompt: PromptRequest | null;
}

const refuse = (param: string, detail: string): AppError => new AppError('validation_failed', { detail, param });

const findForbidden = (value: unknown, isTopLevel = false): string | null => {
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) {
    for (const entry of value) {
      const found = findForbidden(entry);
      if (found) return found;
    }
    return null;
  }
  for (const key in value) {
    if (NOT_THE_CALLERS.has(key)) return key;
    const found = isTopLevel && WITH_NAMES.has(key) ? null : findForbidden((value as Record<string, unknown>)[key]);
    if (found) return found;
  }
  return null;
};

const scan = (body: Buffer): TopLevel => {
  try {
    return scanTopLevel(body, { depth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonShapeError)) throw error;
    throw new AppError('malformed_request', {
      detail: `The body must be a JSON object, nested at most ${MAX_DEPTH} levels deep, with at most 10000 parameters.`,
    });
  }
};

/** Checks what every provider would refuse, and what no caller may set; everything else is the provider's to judge. */
export const readChatRequest = (
  body: Buffer | undefined,
  { alwaysStream }: { alwaysStream: boolean },
): IncomingChat => {
  if (!body?.length) throw refuse('messages', 'Send a JSON object with model and messages.');
  const parameters = parseJsonObject(body);
  const topLevel = scan(body);
  const { model, messages, stream, stream_options: streamOptions } = parameters;
  if (typeof model !== 'string' || model === '' || model.length > 200) {
    throw refuse('model', 'model must be the alias of a model.');
  }
  if (!Array.isArray(messages) || messages.length === 0) {
    throw refuse('messages', 'messages must be a list with at least one message.');
  }
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw refuse('stream', 'stream must be true or false.');
  }
  const forbidden = findForbidden(parameters, true);
  if (forbidden) {
    throw refuse(forbidden, `${forbidden} cannot be set by a call: the model's configuration decides it.`);
  }
  const options = (streamOptions ?? {}) as { include_usage?: unknown };
  return {
    alias: model,
    body,
    topLevel,
    parameters,
    stream: alwaysStream || stream === true,
    wantsUsage: options.include_usage === true,
    prompt: readPromptRequest(parameters['prompt_template']),
  };
};
