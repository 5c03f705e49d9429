import { isPlainObject } from '../../../contract/fields.js';
import { AppError } from '../../../platform/errors/app-error.js';
import { parseJson } from '../../../platform/http/json-body.js';
import { given, isGiven } from '../given.js';

/**
 * One step of a model's thoughts as `reasoning_details` has it: `reasoning.text` with `text` and `signature`,
 * `reasoning.summary` with `summary`, `reasoning.encrypted` with `data`; `index` tells pieces of one step in a stream.
 */
export type ReasoningDetail = Readonly<Record<string, unknown>>;

const PREFIX = 'reasoning_details.';
/** What a stream sends in pieces. */
const GROWING = ['text', 'summary'] as const;

/** Thoughts as `encrypted_content`, which clients hand back unread; not a secret, but nothing to be read either. */
export const sealDetails = (details: readonly ReasoningDetail[]): string =>
  PREFIX + Buffer.from(JSON.stringify(details)).toString('base64url');

/** What {@link sealDetails} has written; anything else is of another maker, and goes on as it is. */
export const openDetails = (content: string, id: string | null): readonly ReasoningDetail[] =>
  readSealed(content) ?? [{ type: 'reasoning.encrypted', data: content, ...(id !== null && { id }) }];

const readSealed = (content: string): readonly ReasoningDetail[] | null => {
  if (!content.startsWith(PREFIX)) return null;
  try {
    const details = parseJson(Buffer.from(content.slice(PREFIX.length), 'base64url'));
    return Array.isArray(details) && details.every(isPlainObject) ? details : null;
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
};

/** The steps, with those that came in pieces put together. */
export const joinDetails = (details: readonly ReasoningDetail[]): ReasoningDetail[] => {
  const joined: ReasoningDetail[] = [];
  for (const detail of details) {
    const last = joined.at(-1);
    if (last && isPieceOf(last, detail)) joined[joined.length - 1] = grown(last, detail);
    else joined.push(detail);
  }
  return joined;
};

/** Where one has no index, a text goes on until it is signed. */
const isPieceOf = (last: ReasoningDetail, next: ReasoningDetail): boolean => {
  if (last['type'] !== next['type'] || last['type'] === 'reasoning.encrypted') return false;
  if (isGiven(last['index']) && isGiven(next['index'])) return last['index'] === next['index'];
  return !isGiven(last['signature']);
};

const grown = (last: ReasoningDetail, next: ReasoningDetail): ReasoningDetail => {
  const texts = GROWING.filter((name) => typeof last[name] === 'string' && typeof next[name] === 'string');
  return {
    ...last,
    ...given(next),
    ...Object.fromEntries(texts.map((name) => [name, `${String(last[name])}${String(next[name])}`])),
  };
};

/** What can be read of a step. */
export const textOfDetail = (detail: ReasoningDetail): string => {
  const text = detail['text'] ?? detail['summary'];
  return typeof text === 'string' ? text : '';
};
