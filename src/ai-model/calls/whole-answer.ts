import { isPlainObject } from '../../contract/fields.js';
import type { WholeAnswer } from '../providers/provider.js';
import { ProviderError } from '../providers/provider-error.js';

/** The answer as an object. Throws when it is none, or an error under a good status. */
export const parseAnswer = (answer: WholeAnswer): Record<string, unknown> => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer.body.toString('utf8'));
  } catch {
    parsed = null;
  }
  if (!isPlainObject(parsed)) throw new ProviderError('bad_answer', { message: 'the answer is no JSON object' });
  const { error } = parsed;
  if (error !== undefined && error !== null && !('choices' in parsed)) throw answer.toError(error);
  return parsed;
};

/** The text of an answer whose usage has to be estimated. */
export const textOf = (parsed: Readonly<Record<string, unknown>>): string => {
  const choices = Array.isArray(parsed['choices']) ? (parsed['choices'] as unknown[]) : [];
  return choices
    .map((choice) => (isPlainObject(choice) && isPlainObject(choice['message']) ? choice['message']['content'] : null))
    .filter((content) => typeof content === 'string')
    .join('');
};
