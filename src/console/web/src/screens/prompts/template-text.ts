import type { PromptContent, Variable, VariableType } from './prompt-content';

/** What a tag is: `{{name}}`, `{{#name}}`, `{{^name}}`, `{{/name}}`, `{{.}}`, `{{! note}}`; `bad`: none of these. */
export type TagKind = 'value' | 'open' | 'inverted' | 'close' | 'item' | 'note' | 'bad';

export interface Tag {
  kind: TagKind;
  name: string;
  from: number;
  to: number;
}

const NAME = /^\p{L}[\p{L}\p{N}_]{0,63}$/u;
const KINDS: Record<string, TagKind> = { '#': 'open', '^': 'inverted', '/': 'close' };

export const isPlain = (syntax: PromptContent['syntax']): boolean => syntax === 'plain';

const tagOf = (inside: string, from: number, to: number): Tag => {
  const text = inside.trim();
  if (text.startsWith('!')) return { kind: 'note', name: '', from, to };
  if (text === '.') return { kind: 'item', name: '.', from, to };
  const kind = KINDS[text.charAt(0)];
  const name = (kind ? text.slice(1).trim() : text).normalize('NFC');
  return NAME.test(name) ? { kind: kind ?? 'value', name, from, to } : { kind: 'bad', name: '', from, to };
};

const isEscaped = (text: string, at: number): boolean => {
  let backslashes = 0;
  while (text.charAt(at - 1 - backslashes) === '\\') backslashes += 1;
  return backslashes % 2 === 1;
};

/** The tags of a text as far as colours and proposals need them; what is wrong with it, the API says. */
export const tagsOf = (text: string): Tag[] => {
  const tags: Tag[] = [];
  let at = text.indexOf('{{');
  while (at !== -1) {
    const end = text.indexOf('}}', at + 2);
    const next = text.indexOf('{{', at + 2);
    if (isEscaped(text, at) || end === -1 || (next !== -1 && next < end)) {
      at = next;
    } else {
      tags.push(tagOf(text.slice(at + 2, end), at, end + 2));
      at = text.indexOf('{{', end + 2);
    }
  }
  return tags;
};

interface Found {
  isWritten: boolean;
  isSection: boolean;
  hasItems: boolean;
}

/** How each name is used: that tells its type. */
const usesOf = (text: string): Map<string, Found> => {
  const found = new Map<string, Found>();
  const open: string[] = [];
  const use = (name: string, how: Partial<Found>): void => {
    found.set(name, { isWritten: false, isSection: false, hasItems: false, ...found.get(name), ...how });
  };
  for (const { kind, name } of tagsOf(text)) {
    if (kind === 'value') use(name, { isWritten: true });
    if (kind === 'open' || kind === 'inverted') use(name, { isSection: true });
    if (kind === 'open') open.push(name);
    if (kind === 'close' && open.at(-1) === name) open.pop();
    const inside = open.at(-1);
    if (kind === 'item' && inside !== undefined) use(inside, { hasItems: true });
  }
  return found;
};

export const namesOf = (text: string): string[] => [...usesOf(text).keys()];

const typeOf = ({ isWritten, isSection, hasItems }: Found): VariableType => {
  if (hasItems) return 'string[]';
  return isSection && !isWritten ? 'boolean' : 'string';
};

/** What the text uses and nobody has declared. What is only asked about may be absent. */
export const proposedVariables = ({ prompt_content, syntax, variables }: PromptContent): Variable[] => {
  if (isPlain(syntax)) return [];
  const known = new Set(variables.map(({ name }) => name));
  return [...usesOf(prompt_content)]
    .filter(([name]) => !known.has(name))
    .map(([name, uses]) => ({ name, type: typeOf(uses), ...(!uses.isSection && { required: true }) }));
};

const WIDE_FROM = 0x3000;
const CHARACTERS_PER_TOKEN = 4;

/** As the hub estimates it: about four characters a token, but each Chinese one a token. */
export const estimateTokens = (text: string): number => {
  let weight = 0;
  for (const character of text) weight += (character.codePointAt(0) ?? 0) < WIDE_FROM ? 1 : CHARACTERS_PER_TOKEN;
  return Math.ceil(weight / CHARACTERS_PER_TOKEN);
};

export const countCharacters = (text: string): number => [...text].length;
