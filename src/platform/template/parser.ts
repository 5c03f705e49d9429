import { PROMPT_LIMITS } from '../../contract/prompt-limits.js';
import { scan } from './scanner.js';
import type { ErrorList } from './template-errors.js';

/** A piece of text and its length in UTF-8. */
export interface Piece {
  readonly text: string;
  readonly bytes: number;
}

export interface Section {
  readonly kind: 'section';
  readonly at: number;
  readonly name: string;
  readonly isInverted: boolean;
  readonly children: readonly TemplateNode[];
}

/** A template as a tree. Blanks and line breaks around a tag are text like any other: no tag takes any with it. */
export type TemplateNode =
  | ({ readonly kind: 'text' } & Piece)
  | { readonly kind: 'value'; readonly at: number; readonly name: string }
  | { readonly kind: 'item'; readonly at: number }
  | Section;

type OpenSection = Section & { children: TemplateNode[] };

export const toPiece = (text: string): Piece => ({ text, bytes: Buffer.byteLength(text) });

/** Builds the tree of a text and reports what is wrong with it. However broken the text, the tree is not deep. */
export const parse = (text: string, errors: ErrorList): TemplateNode[] => {
  const root: TemplateNode[] = [];
  const open: OpenSection[] = [];
  for (const token of scan(text, errors)) {
    if (errors.isFull) break;
    const siblings = open.at(-1)?.children ?? root;
    if (token.kind === 'end') closeSection(open, token, errors);
    else if (token.kind === 'section' || token.kind === 'inverted_section') {
      if (open.length >= PROMPT_LIMITS.sectionDepth) errors.add('too_deep', token.at);
      const { at, name, kind } = token;
      open.push({ kind: 'section', at, name, isInverted: kind === 'inverted_section', children: [] });
      siblings.push(open.at(-1) as Section);
    } else siblings.push(token.kind === 'text' ? { kind: 'text', ...toPiece(token.text) } : token);
  }
  for (const { at, name } of open) errors.add('section_not_closed', at, name);
  return root;
};

/** An end that fits a section further out closes it, and leaves those inside it unclosed. */
const closeSection = (open: OpenSection[], end: { at: number; name: string }, errors: ErrorList): void => {
  const match = open.findLastIndex(({ name }) => name === end.name);
  if (match === -1) return errors.add('section_mismatch', end.at, end.name);
  const [, ...unclosed] = open.splice(match);
  for (const { at, name } of unclosed) errors.add('section_not_closed', at, name);
};
