import { AppError } from '../errors/app-error.js';
import { Turnstile } from '../limits/turnstile.js';
import { parseInThread, type YamlProblem } from './yaml-thread.js';

const DEADLINE_MILLISECONDS = 30_000;
/** One thread at a time: each may take a processor for seconds, and much memory. */
const AT_ONCE = 5;

const turnstile = new Turnstile('Reading YAML', AT_ONCE);

const REASONS: Record<YamlProblem['reason'], string> = {
  syntax: 'The document is not valid YAML',
  duplicate_key: 'The document has the same key twice in one mapping',
  tag: 'The document has a tag; tags such as !!binary or !include are not taken',
  anchor: 'The document has an alias without an anchor, or inside of its own',
  merge: 'The document merges (<<) something that is no mapping',
  aliases: 'The document repeats its anchors too often',
  depth: 'The document is nested too deep',
  number: 'The document has a number that is not finite',
  size: 'The document is too large once its anchors are repeated',
};

const refusalOf = ({ reason, line, column }: YamlProblem): AppError => {
  const place = line === null ? '' : ` (line ${line}, column ${column})`;
  return new AppError('malformed_yaml', { detail: `${REASONS[reason]}${place}.` });
};

/**
 * A YAML document as JSON text: anchors and merge keys resolved, without tags, dates or other types of its own. Throws
 * `malformed_yaml`, with line and column, and `too_busy`. What comes out may be `maxCharacters` long.
 */
export const yamlToJson = async (text: string, maxCharacters: number): Promise<string> => {
  const limits = { milliseconds: DEADLINE_MILLISECONDS, maxCharacters };
  const answer = await turnstile.pass(() => parseInThread(text, limits));
  if (answer === null) {
    throw new AppError('malformed_yaml', { detail: 'The document takes too much time or memory to read as YAML.' });
  }
  if ('problem' in answer) throw refusalOf(answer.problem);
  return answer.json;
};
