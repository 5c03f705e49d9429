import { applyDecorators } from '@nestjs/common';
import { ApiProperty, IntersectionType, PartialType } from '@nestjs/swagger';
import { IsArray, IsOptional, ValidateIf } from 'class-validator';
import {
  AnswerField,
  BooleanField,
  ChoiceField,
  fromQueryInteger,
  IntegerField,
  ObjectField,
  satisfies,
  TextField,
  TextListField,
} from './fields.js';
import { TagsField } from './list-query.js';
import { PROMPT_LIMITS } from './prompt-limits.js';
import { MOVABLE_LABEL_FORM, MOVABLE_LABEL_PATTERN, PROMPT_NAME_FORM, PROMPT_NAME_PATTERN } from './prompt-names.js';
import { PROMPT_VARIABLE_TYPES, type PromptValue, type PromptVariableType } from './prompt-values.js';
import { PROMPT_SYNTAXES, toVariableName, type PromptSyntax, type PromptVariable } from './prompt-variables.js';

const MAX_TAGS = 20;
const MAX_LABELS = 20;
const MAX_VERSION = 2_147_483_647;
const LANGUAGE_PATTERN = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/;
const MAX_EXAMPLES_CHARACTERS = 65_536;

const VALUE = { description: 'A value of this type; null: none', required: false, nullable: true } as const;

/** A variable as the documentation shows it; checked by `variablesProblem`. */
export class PromptVariableField implements PromptVariable {
  @AnswerField({ type: 'string', description: 'A letter of any language, then letters, digits or underscores' })
  name: string;

  @AnswerField({ enum: [...PROMPT_VARIABLE_TYPES], enumName: 'PromptVariableType' })
  type: PromptVariableType;

  @AnswerField({ type: 'boolean', required: false, default: false })
  required?: boolean | null;

  @AnswerField(VALUE)
  default?: PromptValue | null;

  @AnswerField({ type: 'number', required: false, nullable: true, description: 'For integer and number' })
  min?: number | null;

  @AnswerField({ type: 'number', required: false, nullable: true, description: 'For integer and number' })
  max?: number | null;

  @AnswerField({ type: 'integer', required: false, nullable: true, description: 'Characters, for string and text' })
  max_length?: number | null;

  @AnswerField({ type: [String], required: false, nullable: true, description: 'For enum: what it may be' })
  options?: readonly string[] | null;

  @AnswerField({ type: 'string', required: false, nullable: true })
  description?: string | null;

  @AnswerField(VALUE)
  example?: PromptValue | null;

  @AnswerField({ type: 'boolean', required: false, default: false, description: 'Never repeated in a message' })
  sensitive?: boolean | null;

  @AnswerField({ type: 'boolean', required: false, default: false, description: 'Written inside a delimiter tag' })
  untrusted?: boolean | null;
}

/** The list itself; what is in it is checked with the text, so that everything that is wrong is named. */
const VariablesField = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: [PromptVariableField], required: false, maxItems: PROMPT_LIMITS.variables }),
    ValidateIf((_object, value) => value !== undefined),
    IsArray({ message: '$property must be a list' }),
  );

const isValue = (value: unknown): value is PromptValue =>
  ['string', 'number', 'boolean'].includes(typeof value) ||
  (Array.isArray(value) && value.every((entry) => typeof entry === 'string'));

const examplesProblem = (examples: Record<string, unknown>): string | null => {
  if (Object.keys(examples).length > PROMPT_LIMITS.variables)
    return `must have at most ${PROMPT_LIMITS.variables} entries`;
  if (JSON.stringify(examples).length > MAX_EXAMPLES_CHARACTERS)
    return `must not be longer than ${MAX_EXAMPLES_CHARACTERS} characters of JSON`;
  const good = Object.entries(examples).every(([name, value]) => toVariableName(name) !== null && isValue(value));
  return good ? null : 'must map names of variables to texts, numbers, booleans or lists of texts';
};

const firstLabelsProblem = (labels: Record<string, unknown>): string | null => {
  const names = Object.keys(labels);
  if (names.length > MAX_LABELS) return `must have at most ${MAX_LABELS} labels`;
  if (!names.every((name) => MOVABLE_LABEL_PATTERN.test(name)))
    return `must have names of the form: ${MOVABLE_LABEL_FORM}`;
  return names.every((name) => labels[name] === 1)
    ? null
    : 'must let each label stand at 1: there is no other version yet';
};

const bytesProblem = (value: unknown): string | null =>
  typeof value !== 'string' || Buffer.byteLength(value) <= PROMPT_LIMITS.textBytes
    ? null
    : `must have at most ${PROMPT_LIMITS.textBytes} bytes in UTF-8`;

const TextContentField = (): PropertyDecorator =>
  applyDecorators(
    satisfies('bytes', bytesProblem),
    TextField({ required: true, max: PROMPT_LIMITS.textBytes, description: 'The text, as `syntax` says' }),
  );

/** What a template is, beside its text. */
export class PromptMetadata {
  @TextField({ max: 120, description: 'In any language; the name when left out' })
  display_name?: string;

  @TextField({ nullable: true, max: 2000 })
  description?: string | null;

  @TextField({ max: 35, pattern: LANGUAGE_PATTERN, form: 'a language tag such as zh-CN', default: 'zh-CN' })
  language?: string;

  @TextField({ nullable: true, max: 60 })
  category?: string | null;

  @TagsField({ max: MAX_TAGS })
  tags?: Record<string, string>;

  @BooleanField({ default: true, description: 'false: archived, and not to be used' })
  is_active?: boolean;

  @BooleanField({ default: false, description: 'false: only tokens with prompts:read may name it in a call' })
  is_public?: boolean;

  @IntegerField({ min: -1_000_000, max: 1_000_000, default: 0, description: 'Higher is listed first' })
  priority?: number;
}

/** What a version is. */
export class PromptContent {
  @TextContentField()
  prompt_content: string;

  @ChoiceField(PROMPT_SYNTAXES, { name: 'PromptSyntax', default: 'mustache-strict-1' })
  syntax?: PromptSyntax;

  @VariablesField()
  variables?: PromptVariable[];

  @ObjectField({ check: examplesProblem, description: 'Values by name, to fill forms and previews' })
  example_variables?: Record<string, PromptValue>;
}

class SaveFields {
  @IntegerField({ min: 1, max: MAX_VERSION, description: 'The newest version you know; 409 when there is a newer one' })
  base_version?: number;

  @TextField({ min: 0, max: 500, default: '', description: 'What changed, and why' })
  message?: string;
}

class NameField {
  @TextField({ required: true, max: 100, pattern: PROMPT_NAME_PATTERN, form: PROMPT_NAME_FORM })
  name: string;
}

class FirstVersionFields {
  @TextField({ min: 0, max: 500, default: '', description: 'Message of the first version' })
  message?: string;

  @ObjectField({
    check: firstLabelsProblem,
    default: {},
    schema: { additionalProperties: { type: 'integer', enum: [1] } },
    description: 'Labels that stand at the first version at once',
    example: { production: 1 },
  })
  labels?: Record<string, number>;
}

/** Body of `POST /prompts`: the template and its first version. */
export class PromptCreate extends IntersectionType(NameField, PromptMetadata, PromptContent, FirstVersionFields) {}

/** Body of `PUT /prompts/{id}`: absent fields keep their value, `null` clears; another text is a new version. */
export class PromptUpdate extends IntersectionType(
  PartialType(NameField, { skipNullProperties: false }),
  PromptMetadata,
  PartialType(PromptContent, { skipNullProperties: false }),
  SaveFields,
) {}

/** Body of `POST /prompts/{id}/versions`; what is left out is as in the newest version. */
export class PromptVersionCreate extends IntersectionType(PromptContent, SaveFields) {}

/** Body of a restore of an older version. */
export class PromptRestore extends SaveFields {}

const VERSION = { min: 1, max: MAX_VERSION };
const SEEN = {
  ...VERSION,
  nullable: true,
  description: 'Where the label was when you looked, null: nowhere; 409 when that is not so any more',
};
const REASON = { min: 0, max: 500, default: '' };

/** Body of `PUT /prompts/{id}/labels/{label}`. */
export class LabelMove {
  @IntegerField({ ...VERSION, required: true, description: 'The version it stands at from now on' })
  version: number;

  @IntegerField(SEEN)
  expected_version?: number | null;

  @TextField(REASON)
  reason?: string;
}

/** Query of `DELETE /prompts/{id}/labels/{label}`. */
export class LabelRemoval {
  /** Read, checked and documented by `CanWaitForApplied`, as on every write. */
  @IsOptional()
  wait?: unknown;

  @fromQueryInteger()
  @IntegerField({ ...VERSION, description: 'Where the label was when you looked; 409 when that is not so any more' })
  expected_version?: number;

  @TextField(REASON)
  reason?: string;
}

/** The labels that only a token with scope `admin` can move or remove. */
export class ProtectedLabels {
  @TextListField({
    required: true,
    maxItems: 50,
    itemMax: 36,
    pattern: MOVABLE_LABEL_PATTERN,
    form: MOVABLE_LABEL_FORM,
  })
  labels: string[];
}
