import type { Schemas } from '../../api/client';

export type PromptValue = string | number | boolean | string[];
export type VariableType = Schemas['PromptVariableType'];

/** A variable as it is declared; the document calls every value an object. */
export type Variable = Omit<Schemas['PromptVariableField'], 'default' | 'example'> & {
  default?: PromptValue | null;
  example?: PromptValue | null;
};

/** What a version says. */
export interface PromptContent {
  prompt_content: string;
  syntax: Schemas['PromptSyntax'];
  variables: Variable[];
  example_variables: Record<string, PromptValue>;
}

/** What is not saved yet, and the version it began with. */
export interface PromptDraft {
  base: number;
  content: PromptContent;
}
