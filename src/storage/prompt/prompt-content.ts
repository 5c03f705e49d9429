import { createHash } from 'node:crypto';
import type { PromptContent } from '../../contract/prompt.contract.js';
import type { PromptValue } from '../../contract/prompt-values.js';
import {
  normalizedVariables,
  variablesProblem,
  type PromptSyntax,
  type PromptVariable,
} from '../../contract/prompt-variables.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import { validateTemplate } from '../../platform/template/template.js';

/** What makes a version what it is. */
export interface Content {
  promptContent: string;
  syntax: PromptSyntax;
  variables: PromptVariable[];
  exampleVariables: Record<string, PromptValue>;
  /** SHA-256 (hex) of all of it: equal contents, equal hashes. */
  contentSha256: string;
}

type Unhashed = Omit<Content, 'contentSha256'>;

const DEFAULTS = {
  syntax: 'mustache-strict-1',
  variables: [],
  exampleVariables: {},
} as const satisfies Partial<Content>;

/** jsonb keeps neither the order of keys nor that of fields. */
const hashOf = ({ promptContent, syntax, variables, exampleVariables }: Unhashed): string => {
  const examples = Object.entries(exampleVariables).sort(([one], [other]) => (one < other ? -1 : 1));
  const canonical = JSON.stringify([syntax, promptContent, normalizedVariables(variables), examples]);
  return createHash('sha256').update(canonical).digest('hex');
};

/**
 * The content that was sent; what was left out is as in `base`. Throws `validation_failed` for variables that are none,
 * `prompt_template_invalid` for a text that could never be rendered, and names everything that is wrong.
 */
export const toContent = (sent: Partial<PromptContent>, base: Unhashed | null): Content => {
  const variables = checkedVariables(sent.variables ?? base?.variables ?? DEFAULTS.variables);
  const content = {
    promptContent: sent.prompt_content ?? base?.promptContent ?? refuseWithoutText(),
    syntax: sent.syntax ?? base?.syntax ?? DEFAULTS.syntax,
    variables,
    exampleVariables: sent.example_variables ?? base?.exampleVariables ?? DEFAULTS.exampleVariables,
  };
  refuseBroken(content);
  return { ...content, contentSha256: hashOf(content) };
};

const refuseWithoutText = (): never => {
  throw invalidFields({ field: 'prompt_content', message: 'prompt_content must be sent' });
};

/** The variables in the form they are stored in. */
export const checkedVariables = (sent: readonly unknown[]): PromptVariable[] => {
  const problems = variablesProblem(sent);
  if (problems.length > 0) throw invalidFields(...problems);
  return normalizedVariables(sent as PromptVariable[]);
};

const refuseBroken = ({ promptContent: text, syntax, variables }: Unhashed): void => {
  const { errors } = validateTemplate({ text, syntax, variables });
  if (errors.length === 0) return;
  const fields = errors.map(({ line, column, message }) => ({
    field: 'prompt_content',
    message: `Line ${line}, column ${column}: ${message}`,
  }));
  throw new AppError('prompt_template_invalid', {
    detail: fields.map(({ message }) => message).join(' '),
    fields,
    extensions: { template_errors: errors },
  });
};

/** Whether anything of a content was sent at all. */
export const hasContent = (sent: Partial<PromptContent>): boolean =>
  sent.prompt_content !== undefined ||
  sent.syntax !== undefined ||
  sent.variables !== undefined ||
  sent.example_variables !== undefined;
