import { AnswerField } from './fields.js';
import { FieldChange } from './history.contract.js';
import type { PromptValue } from './prompt-values.js';
import { PROMPT_SYNTAXES, type PromptSyntax, type PromptVariable } from './prompt-variables.js';
import { PromptVariableField } from './prompt.contract.js';

/** How a version came to be. */
export const PROMPT_ORIGINS = ['edit', 'restore', 'import', 'duplicate', 'api'] as const;
export type PromptOrigin = (typeof PROMPT_ORIGINS)[number];

const TEXT = { type: 'string' } as const;
const TEXT_OR_NULL = { type: 'string', nullable: true } as const;
const FLAG = { type: 'boolean' } as const;
const WHOLE = { type: 'integer' } as const;
const TIME = { type: 'string', format: 'date-time' } as const;
const SYNTAX = { enum: [...PROMPT_SYNTAXES], enumName: 'PromptSyntax' };
const HASH = { type: 'string', description: 'SHA-256 (hex) of text, syntax, variables and examples' } as const;
const OPEN_OBJECT = { type: 'object', additionalProperties: true } as const;

/** A template on the wire, without its text. Times are RFC 3339. */
export class PromptSummary {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField(TEXT) name: string;
  @AnswerField(TEXT) display_name: string;
  @AnswerField(TEXT_OR_NULL) description: string | null;
  @AnswerField(TEXT) language: string;
  @AnswerField(TEXT_OR_NULL) category: string | null;
  @AnswerField({ type: 'object', additionalProperties: { type: 'string' } }) tags: Record<string, string>;
  @AnswerField(FLAG) is_active: boolean;
  @AnswerField(FLAG) is_public: boolean;
  @AnswerField(WHOLE) priority: number;

  @AnswerField({ ...WHOLE, description: 'Number of the newest text' }) latest_version: number;

  @AnswerField({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'The version that each label stands at; latest is latest_version',
    example: { production: 4 },
  })
  labels: Record<string, number>;

  @AnswerField({ ...WHOLE, description: 'Calls made with it' }) usage_count: number;
  @AnswerField({ ...TIME, nullable: true }) last_used_at: string | null;
  @AnswerField({ type: 'string', description: 'Id of the token' }) created_by: string;
  @AnswerField({ type: 'string', description: 'Id of the token' }) updated_by: string;
  @AnswerField({ ...WHOLE, description: 'Goes up with every change of the template: the ETag' }) version: number;
  @AnswerField(TIME) created_at: string;
  @AnswerField(TIME) updated_at: string;
}

/** A template with its newest text; null where nobody has saved one yet. */
export class PromptView extends PromptSummary {
  @AnswerField(TEXT_OR_NULL) prompt_content: string | null;
  @AnswerField({ ...SYNTAX, nullable: true }) syntax: PromptSyntax | null;
  @AnswerField({ type: [PromptVariableField] }) variables: PromptVariable[];
  @AnswerField(OPEN_OBJECT) example_variables: Record<string, PromptValue>;
  @AnswerField({ ...HASH, nullable: true }) content_sha256: string | null;
}

/** A page of templates. `total` counts everything the filter matches. */
export class PromptList {
  @AnswerField({ type: [PromptSummary] }) prompts: PromptSummary[];
  @AnswerField(WHOLE) total: number;
  @AnswerField(WHOLE) skip: number;
  @AnswerField(WHOLE) limit: number;
}

/** A version without its text. Everything but `labels` never changes. */
export class PromptVersionSummary {
  @AnswerField(WHOLE) version: number;
  @AnswerField(SYNTAX) syntax: PromptSyntax;
  @AnswerField(HASH) content_sha256: string;
  @AnswerField(TEXT) message: string;

  @AnswerField({
    ...WHOLE,
    nullable: true,
    description: 'The version it was made from; of a restore, the restored one',
  })
  base_version: number | null;

  @AnswerField({ enum: [...PROMPT_ORIGINS], enumName: 'PromptOrigin' }) origin: PromptOrigin;
  @AnswerField({ type: [String], description: 'Labels that stand at it now' }) labels: string[];
  @AnswerField({ type: 'string', description: 'Id of the token' }) created_by: string;
  @AnswerField(TIME) created_at: string;
}

/** A version with its text. */
export class PromptVersionView extends PromptVersionSummary {
  @AnswerField(TEXT) prompt_content: string;
  @AnswerField({ type: [PromptVariableField] }) variables: PromptVariable[];
  @AnswerField(OPEN_OBJECT) example_variables: Record<string, PromptValue>;
}

/** What saving a version came to. */
export class SavedPromptVersion extends PromptVersionView {
  @AnswerField({ type: 'boolean', description: 'true: the newest version had this content already' })
  unchanged: boolean;
}

/** A page of versions, newest first. */
export class PromptVersionList {
  @AnswerField({ type: [PromptVersionSummary] }) versions: PromptVersionSummary[];
  @AnswerField(WHOLE) total: number;
  @AnswerField(WHOLE) skip: number;
  @AnswerField(WHOLE) limit: number;
}

/** A label and the one version that has it. */
export class PromptLabelView {
  @AnswerField(TEXT) label: string;
  @AnswerField(WHOLE) version: number;
  @AnswerField({ type: 'string', description: 'Id of the token' }) moved_by: string;
  @AnswerField(TIME) moved_at: string;
  @AnswerField({ type: 'boolean', description: 'Only a token with scope admin can move it' }) is_protected: boolean;
}

/** The labels of a template. */
export class PromptLabelList {
  @AnswerField({ type: [PromptLabelView] }) labels: PromptLabelView[];
  @AnswerField({ ...WHOLE, description: 'What the label latest stands for' }) latest_version: number;
}

/** What a caller gets who asks by name. */
export class ResolvedPrompt {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField(TEXT) name: string;
  @AnswerField({ enum: ['label', 'version'] }) resolved_by: 'label' | 'version';
  @AnswerField(TEXT_OR_NULL) label: string | null;
  @AnswerField(WHOLE) version: number;
  @AnswerField(TEXT) prompt_content: string;
  @AnswerField(SYNTAX) syntax: PromptSyntax;
  @AnswerField({ type: [PromptVariableField] }) variables: PromptVariable[];
  @AnswerField(HASH) content_sha256: string;
}

/** A variable that differs between two versions; null on the side where it is not declared. */
export class VariableChange {
  @AnswerField(TEXT) name: string;
  @AnswerField({ type: PromptVariableField, nullable: true }) from: PromptVariable | null;
  @AnswerField({ type: PromptVariableField, nullable: true }) to: PromptVariable | null;
}

/** What differs between two versions. */
export class PromptDiff {
  @AnswerField(WHOLE) from: number;
  @AnswerField(WHOLE) to: number;
  @AnswerField({ type: 'string', description: 'The texts as a unified diff; empty when they are the same' })
  unified: string;

  @AnswerField({ type: [VariableChange] }) variables: VariableChange[];
  @AnswerField({ type: [FieldChange], description: 'Syntax and examples' }) changes: FieldChange[];
}

/** A model whose default prompt it is. */
export class PromptUser {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField(TEXT) alias: string;
  @AnswerField(FLAG) is_enabled: boolean;
  @AnswerField({ type: 'string', description: 'The label it follows' }) label: string;
  @AnswerField({ ...WHOLE, nullable: true, description: 'The version it uses now' }) version: number | null;
}

/** A page of the models that use a prompt, by alias. */
export class PromptUsages {
  @AnswerField({ type: [PromptUser] }) models: PromptUser[];
  @AnswerField(WHOLE) total: number;
  @AnswerField(WHOLE) skip: number;
  @AnswerField(WHOLE) limit: number;
}
