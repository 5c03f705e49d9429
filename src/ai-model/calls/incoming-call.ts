import { AppError } from '../../platform/errors/app-error.js';
import { MAX_DEPTH } from '../../platform/http/json-cost.js';
import type { PromptRequest } from './prompt-request.js';
import { JsonShapeError, scanTopLevel, type TopLevel } from './wire/json-object-editor.js';

/** A caller names an alias and nothing else: where a call goes and with which key is the hub's business. */
const NOT_THE_CALLERS = new Set(['api_base', 'base_url', 'api_key']);
/** Inside these, names are the caller's own: JSON schemas of tools and answers, variables of a prompt. */
const WITH_NAMES = new Set(['tools', 'functions', 'response_format', 'text', 'prompt_template']);

/**
 * Fields beyond OpenAI's that an entrance writes into messages, parts, tools and tool calls, since some providers have a
 * use for them: Anthropic's prompt cache, signed thoughts as OpenRouter and Google name them. Others are not sent them.
 */
export const EXTENSIONS = ['cache_control', 'reasoning_details', 'extra_content'] as const;

/** What is asked of a model. */
export type Operation = 'chat' | 'embeddings';

/**
 * One call as every entrance hands it on: OpenAI's request of the operation, checked, before its model is known. An
 * entrance that speaks otherwise translates into this.
 */
export interface IncomingCall {
  operation: Operation;
  /** An alias, or `auto`. */
  alias: string;
  /** The request as JSON; the caller's own bytes where he speaks OpenAI's chat or embeddings. */
  body: Buffer;
  /** Where the members of `body` stand. */
  topLevel: TopLevel;
  /** The same, parsed; read-only. */
  parameters: Readonly<Record<string, unknown>>;
  stream: boolean;
  /** The entrance made the body: it may hold extensions of other makers, see {@link EXTENSIONS}. */
  isTranslated: boolean;
  /** Whoever gets the stream asked for its usage chunk. */
  wantsUsage: boolean;
  /** The system prompt the caller named; null: none. */
  prompt: PromptRequest | null;
  /** What the caller asked for and the entrance cannot hand on, by its name: told in `x-hub-ignored-parameters`. */
  ignored: readonly string[];
}

/** The request is refused because of one of its fields. */
export const refuseField = (param: string, detail: string): AppError =>
  new AppError('validation_failed', { detail, param });

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

/** Throws when the caller tries to say where his call goes or with which key. */
export const refuseForbidden = (parameters: Readonly<Record<string, unknown>>): void => {
  const forbidden = findForbidden(parameters, true);
  if (forbidden)
    throw refuseField(forbidden, `${forbidden} cannot be set by a call: the model's configuration decides it.`);
};

/** Where the members of a body stand. Throws `malformed_request` for one that is no object, or nested too deep. */
export const scanBody = (body: Buffer): TopLevel => {
  try {
    return scanTopLevel(body, { depth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonShapeError)) throw error;
    throw new AppError('malformed_request', {
      detail: `The body must be a JSON object, nested at most ${MAX_DEPTH} levels deep, with at most 10000 parameters.`,
    });
  }
};

/** The body of a request that was translated. */
export const bodyOf = (parameters: Readonly<Record<string, unknown>>): Pick<IncomingCall, 'body' | 'topLevel'> => {
  const body = Buffer.from(JSON.stringify(parameters));
  return { body, topLevel: scanBody(body) };
};
