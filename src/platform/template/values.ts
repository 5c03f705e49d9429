import { valueProblem, type PromptValue } from '../../contract/prompt-values.js';
import { isSet, toVariableName, type PromptVariable } from '../../contract/prompt-variables.js';
import { toPiece, type Piece } from './parser.js';
import type { TemplateProblem, TemplateProblemCode, TemplateWarning } from './template-problems.js';
import { delimit } from './untrusted.js';

/** Warnings about values nobody asked for: a caller may send thousands. */
const MAX_WARNINGS = 20;
const SHOWN_CHARACTERS = 64;

/** A value as it is written. */
export interface BoundValue {
  /** Whether `{{#name}}` is written, and `{{^name}}` is not. */
  readonly isShown: boolean;
  readonly piece: Piece;
  /** Of a list. */
  readonly entries: readonly Piece[] | null;
}

const NO_PIECE = toPiece('');
/** What an optional variable without value and default is. */
export const NOTHING: BoundValue = { isShown: false, piece: NO_PIECE, entries: null };

export interface BoundValues {
  values: ReadonlyMap<string, BoundValue>;
  problems: TemplateProblem[];
  warnings: TemplateWarning[];
}

/** Gives every declared variable its value, its default, or nothing, and names all that cannot have one at once. */
export const bindValues = (
  variables: ReadonlyMap<string, PromptVariable>,
  given: Readonly<Record<string, unknown>>,
): BoundValues => {
  const { sent, repeated } = byName(given);
  const values = new Map<string, BoundValue>();
  const problems: TemplateProblem[] = [];
  for (const [name, variable] of variables) {
    const value = sent.get(name) ?? variable.default;
    const misfit = repeated.has(name) ? GIVEN_TWICE : misfitOf(variable, value);
    const field = `variables.${name}`;
    if (misfit) problems.push({ field, message: `${field} ${misfit.message}`, code: misfit.code });
    else values.set(name, isSet(value) ? bind(name, variable, value as PromptValue) : NOTHING);
  }
  const undeclared = [...sent.keys()].filter((name) => !variables.has(name));
  return { values, problems, warnings: undeclared.slice(0, MAX_WARNINGS).map(undeclaredValue) };
};

/** Names are compared in NFC, so two keys can mean one variable: which of them counts would be chance. */
const byName = (given: Readonly<Record<string, unknown>>): { sent: Map<string, unknown>; repeated: Set<string> } => {
  const sent = new Map<string, unknown>();
  const repeated = new Set<string>();
  for (const [key, value] of Object.entries(given)) {
    const name = toVariableName(key) ?? key;
    if (sent.has(name)) repeated.add(name);
    sent.set(name, value);
  }
  return { sent, repeated };
};

interface Misfit {
  code: TemplateProblemCode;
  /** Follows the name of the field. */
  message: string;
}

const MISSING: Misfit = { code: 'missing', message: 'must be given' };
const GIVEN_TWICE: Misfit = { code: 'given_twice', message: 'must be given once, not in two spellings' };

const misfitOf = (variable: PromptVariable, value: unknown): Misfit | null => {
  if (isSet(value)) return valueProblem(variable, value);
  return variable.required ? MISSING : null;
};

/**
 * Numbers are written as JSON writes them (the shortest decimal that reads back as the same number), booleans as `true`
 * and `false`, everything else as it is.
 */
const bind = (name: string, { untrusted }: PromptVariable, value: PromptValue): BoundValue => {
  const write = (text: string): Piece => toPiece(untrusted ? delimit(name, text) : text);
  if (typeof value === 'object') return { isShown: value.length > 0, piece: NO_PIECE, entries: value.map(write) };
  return { isShown: value !== false && value !== '', piece: write(String(value)), entries: null };
};

const undeclaredValue = (name: string): TemplateWarning => {
  const shown = name.slice(0, SHOWN_CHARACTERS).toWellFormed();
  return {
    code: 'undeclared_value',
    name: shown,
    message: `"${shown}" is not a variable of this prompt: its value is not used.`,
  };
};
