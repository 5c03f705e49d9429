import type { ValueProblemCode } from '../../contract/prompt-values.js';
import type { TemplateErrorCode } from './template-errors.js';

/** Something that is allowed and probably not meant. `name` is the variable or value it is about. */
export interface TemplateWarning {
  code: 'unused_variable' | 'undeclared_value';
  name: string;
  message: string;
}

export type TemplateProblemCode =
  TemplateErrorCode | ValueProblemCode | 'missing' | 'given_twice' | 'output_too_long' | 'too_many_repetitions';

/** One reason why a template cannot be rendered. `field` is `variables.<name>`, or `text`. Never repeats a value. */
export interface TemplateProblem {
  field: string;
  message: string;
  code: TemplateProblemCode;
}

/** The template cannot be rendered with these values: all the reasons at once. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';

  constructor(readonly problems: readonly TemplateProblem[]) {
    super(problems.map(({ message }) => message).join('; '));
  }
}
