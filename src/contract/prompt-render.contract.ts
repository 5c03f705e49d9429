import { PickType } from '@nestjs/swagger';
import { AnswerField, IntegerField, ObjectField, TextField } from './fields.js';
import { LABEL_FORM, LABEL_PATTERN } from './prompt-names.js';
import { PromptContent } from './prompt.contract.js';

const ValuesField = (): PropertyDecorator =>
  ObjectField({ check: () => null, default: {}, description: 'Values by the names of variables' });

/** Body of `POST /prompts/{id}/render`: one of the two, or neither for `production`. */
export class PromptRender {
  @TextField({ nullable: true, max: 36, pattern: LABEL_PATTERN, form: LABEL_FORM })
  label?: string | null;

  @IntegerField({ nullable: true, min: 1, max: 2_147_483_647 })
  version?: number | null;

  @ValuesField()
  variables?: Record<string, unknown>;
}

/** Body of `POST /prompts/render`: a text that is not saved. */
export class PromptDraftRender extends PickType(PromptContent, ['prompt_content', 'syntax', 'variables']) {
  @ValuesField()
  values?: Record<string, unknown>;
}

/** Body of `POST /prompts/validate`; without `variables` every name counts as declared. */
export class PromptDraft extends PickType(PromptContent, ['prompt_content', 'syntax', 'variables']) {}

/** Something that is allowed and probably not meant. */
export class PromptWarning {
  @AnswerField({ type: 'string', enum: ['unused_variable', 'undeclared_value'] }) code: string;
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ type: 'string' }) message: string;
}

/** A text with its values, as a model would get it. */
export class RenderedPrompt {
  @AnswerField({ type: 'string' }) text: string;
  @AnswerField({ type: 'integer', nullable: true, description: 'null: a draft' }) version: number | null;
  @AnswerField({ type: 'string', nullable: true, description: 'null: a draft' }) content_sha256: string | null;
  @AnswerField({ type: 'integer', description: 'Code points of the text' }) characters: number;
  @AnswerField({ type: 'integer', description: 'An estimate: each model counts in its own way' })
  token_estimate: number;
  @AnswerField({ type: [PromptWarning] }) warnings: PromptWarning[];
}

/** One error of a text. Lines and columns count from 1, columns in code points. */
export class PromptTextError {
  @AnswerField({ type: 'integer' }) line: number;
  @AnswerField({ type: 'integer' }) column: number;
  @AnswerField({ type: 'string' }) code: string;
  @AnswerField({ type: 'string' }) message: string;
  @AnswerField({ type: 'string', nullable: true, description: 'The variable that is meant' }) name: string | null;
}

/** What there is to say of a draft. */
export class PromptReport {
  @AnswerField({ type: 'boolean' }) valid: boolean;
  @AnswerField({ type: [PromptTextError] }) errors: PromptTextError[];
  @AnswerField({ type: [PromptWarning] }) warnings: PromptWarning[];
  @AnswerField({ type: [String], description: 'The names the text uses, in the order of first use' })
  variables: string[];
}
