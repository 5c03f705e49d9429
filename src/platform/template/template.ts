import { PROMPT_LIMITS } from '../../contract/prompt-limits.js';
import type { PromptSyntax, PromptVariable } from '../../contract/prompt-variables.js';
import { parse, toPiece, type TemplateNode } from './parser.js';
import { ErrorList, type TemplateTextError } from './template-errors.js';
import type { TemplateWarning } from './template-problems.js';
import { checkUse } from './use-check.js';

/** A prompt's text, how it is read, and its variables, which `variablesProblem` has nothing against. */
export interface TemplateSource {
  text: string;
  syntax: PromptSyntax;
  variables: readonly PromptVariable[];
}

/** A template that was read once and is rendered many times; immutable. */
export interface CompiledTemplate {
  readonly nodes: readonly TemplateNode[];
  /** By name in NFC. */
  readonly variables: ReadonlyMap<string, PromptVariable>;
  /** The names the text uses, in the order of first use. */
  readonly names: readonly string[];
  /** Not empty: it cannot be rendered. */
  readonly errors: readonly TemplateTextError[];
}

/** Reads a template. Never throws: what is wrong is in `errors`, for `validateTemplate` to show and rendering to refuse. */
export const compileTemplate = ({ text, syntax, variables }: TemplateSource): CompiledTemplate => {
  const errors = new ErrorList();
  const declared = new Map(variables.map((variable) => [variable.name.normalize('NFC'), variable]));
  const nodes = readNodes(text, syntax, errors);
  const names = checkUse(nodes, declared, errors);
  return { nodes, variables: declared, names, errors: errors.locatedIn(text) };
};

const readNodes = (text: string, syntax: string, errors: ErrorList): TemplateNode[] => {
  const piece = toPiece(text);
  if (piece.bytes > PROMPT_LIMITS.textBytes) errors.add('text_too_long', 0);
  else if (syntax === 'plain') return [{ kind: 'text', ...piece }];
  else if (syntax === 'mustache-strict-1') return parse(text, errors);
  // Another process may know more languages than this one.
  else errors.add('syntax_not_supported', 0);
  return [];
};

export interface TemplateReport {
  errors: readonly TemplateTextError[];
  /** Only once there are no errors: of a broken text it is not known what it uses. */
  warnings: TemplateWarning[];
  /** The names the text uses, declared or not, in the order of first use. */
  variables: readonly string[];
}

/** Everything there is to say about a template before it is saved. */
export const validateTemplate = (source: TemplateSource): TemplateReport => {
  const { errors, names, variables } = compileTemplate(source);
  const unused = [...variables.keys()].filter((name) => !names.includes(name));
  return { errors, warnings: errors.length > 0 ? [] : unused.map(unusedVariable), variables: names };
};

const unusedVariable = (name: string): TemplateWarning => ({
  code: 'unused_variable',
  name,
  message: `"${name}" is declared, but the text does not use it.`,
});
