import { AppError } from '../errors/app-error.js';
import { renderTemplate, type RenderedTemplate } from './render.js';
import { TemplateError } from './template-problems.js';
import type { CompiledTemplate } from './template.js';

/** The text of a prompt is `prompt_content` to those who read our errors. */
const wireNameOf = (field: string): string => (field === 'text' ? 'prompt_content' : field);

/** Renders for somebody outside: what is wrong is `prompt_variables_invalid` and names every field, but no value. */
export const renderOrRefuse = (
  template: CompiledTemplate,
  values: Readonly<Record<string, unknown>>,
): RenderedTemplate => {
  try {
    return renderTemplate(template, values);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const fields = error.problems.map(({ field, message }) => ({ field: wireNameOf(field), message }));
    // Some are whole sentences, others go on from the name of the field.
    const detail = fields.map(({ message }) => message.replace(/\.$/, '')).join('; ');
    throw new AppError('prompt_variables_invalid', { detail, fields, cause: error });
  }
};
