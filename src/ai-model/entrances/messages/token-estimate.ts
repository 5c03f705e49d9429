import { isPlainObject } from '../../../contract/fields.js';
import { toTokens, weighText } from '../../../platform/text/text-weight.js';

type Parameters = Readonly<Record<string, unknown>>;

const objectsIn = (value: unknown): Parameters[] => (Array.isArray(value) ? value.filter(isPlainObject) : []);
const weigh = (value: unknown): number => (typeof value === 'string' ? weighText(value) : 0);
const weighJson = (value: unknown): number => (value === undefined ? 0 : weighText(JSON.stringify(value)));

/**
 * About how many tokens a chat request is: a quarter of the characters of its texts, tools and calls, a CJK character
 * one. What pictures and files cost differs too much between models to guess; they count nothing.
 */
export const estimateTokens = ({ messages, tools, response_format: format }: Parameters): number => {
  const weight = objectsIn(messages).reduce((sum, message) => sum + weighMessage(message), 0);
  return toTokens(weight + weighJson(tools) + weighJson(format));
};

const weighMessage = ({ content, tool_calls: calls, reasoning_details: details }: Parameters): number =>
  weigh(content) +
  objectsIn(content).reduce((sum, { text }) => sum + weigh(text), 0) +
  objectsIn(calls).reduce((sum, { function: called }) => sum + weighJson(called), 0) +
  objectsIn(details).reduce((sum, { text }) => sum + weigh(text), 0);
