import { IsOptional } from 'class-validator';
import { IntersectionType, PickType } from '@nestjs/swagger';
import {
  AnswerField,
  BooleanField,
  ChoiceField,
  fromQueryBoolean,
  IntegerField,
  isPlainObject,
  ObjectField,
  satisfies,
  TextField,
} from './fields.js';
import { FieldChange } from './history.contract.js';
import { MOVABLE_LABEL_FORM, MOVABLE_LABEL_PATTERN } from './prompt-names.js';
import { PromptContent, PromptCreate, PromptMetadata } from './prompt.contract.js';

/** How a document is written. */
export const TEXT_FORMATS = ['yaml', 'json'] as const;
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** What a document says; `auto` finds out. */
export const DOCUMENT_FORMATS = ['hub', 'litellm', 'langfuse'] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];
const IMPORT_FORMATS = ['auto', ...DOCUMENT_FORMATS] as const;

/** The parts of a document. */
export const DOCUMENT_SECTIONS = ['models', 'prompts', 'alert_rules'] as const;
export type DocumentSection = (typeof DOCUMENT_SECTIONS)[number];

/** What an import takes at most, and so an export gives at most. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
export const MAX_DOCUMENT_OBJECTS = 5000;
export const MAX_DOCUMENT_VERSIONS = 10_000;

/** Content types of a YAML body; it has had several, and one of its own since RFC 9512. */
export const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml'] as const;

export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const MAX_VARIABLES = 2 * MAX_DOCUMENT_OBJECTS;
const MAX_VARIABLE_CHARACTERS = 65_536;

const MIN_PASSPHRASE = 12;
const MAX_PASSPHRASE = 1024;

const sectionsProblem = (value: unknown): string | null => {
  const names = typeof value === 'string' ? value.split(',') : [];
  const good = names.length > 0 && names.every((name) => (DOCUMENT_SECTIONS as readonly string[]).includes(name));
  return value === undefined || good ? null : `must be one or more of ${DOCUMENT_SECTIONS.join(', ')}, comma-separated`;
};

const variablesProblem = (variables: Record<string, unknown>): string | null => {
  const entries = Object.entries(variables);
  if (entries.length > MAX_VARIABLES) return `must have at most ${MAX_VARIABLES} variables`;
  const good = entries.every(
    ([name, value]) => VARIABLE_NAME.test(name) && typeof value === 'string' && value.length <= MAX_VARIABLE_CHARACTERS,
  );
  return good
    ? null
    : `must map names of variables to strings of at most ${MAX_VARIABLE_CHARACTERS} characters, such as {"FAST_API_KEY": "…"}`;
};

/** Query of `GET /export`. */
export class ExportQuery {
  @ChoiceField(TEXT_FORMATS, { description: 'Without it the Accept header decides; yaml when that does not either' })
  format?: TextFormat;

  @AnswerField({
    type: 'string',
    required: false,
    example: 'models,prompts',
    description: `One or more of ${DOCUMENT_SECTIONS.join(', ')}; without it all you may read`,
  })
  @satisfies('sections', sectionsProblem)
  sections?: string;
}

/** Body of `POST /export`. */
export class SealedExport {
  @ChoiceField(TEXT_FORMATS, { default: 'yaml' })
  format?: TextFormat;

  @TextField({
    required: true,
    min: MIN_PASSPHRASE,
    max: MAX_PASSPHRASE,
    writeOnly: true,
    description: 'Seals the secrets. It is kept nowhere: without it they cannot be read again',
  })
  passphrase: string;
}

/** Query of `POST /import`. */
export class ImportQuery {
  /** Read, checked and documented by `CanWaitForApplied`, as on every write. */
  @IsOptional()
  wait?: unknown;

  @fromQueryBoolean()
  @BooleanField({ default: false, description: 'Answers with the plan and changes nothing' })
  dry_run?: boolean;

  @fromQueryBoolean()
  @BooleanField({
    default: false,
    description:
      'Deletes the models and alert rules, and archives the prompts, that the sections of the document do not name',
  })
  prune?: boolean;

  @ChoiceField(IMPORT_FORMATS, { default: 'auto' })
  format?: 'auto' | DocumentFormat;

  @ChoiceField(['refuse', 'skip'], {
    default: 'refuse',
    description: 'What to do when a secret is neither sent nor stored: refuse all, or go on without it',
  })
  on_missing_secret?: 'refuse' | 'skip';

  @TextField({
    max: 64,
    pattern: /^[0-9a-f]{64}$/,
    form: 'the plan_digest of a plan',
    description: 'Applies this very plan or, when something changed since it was made, nothing: 409 plan_outdated',
  })
  plan?: string;
}

/** JSON body of `POST /import` that sends more than the document. */
export class ImportEnvelope {
  @AnswerField({
    required: true,
    description: 'The document, as an object or as text in YAML or JSON',
    oneOf: [{ type: 'object', additionalProperties: true }, { type: 'string' }],
  })
  @satisfies('document', (value) =>
    typeof value === 'string' || (typeof value === 'object' && value !== null)
      ? null
      : 'must be the document, as an object or as text',
  )
  document: unknown;

  @ChoiceField(IMPORT_FORMATS, { description: 'As in the query' })
  format?: 'auto' | DocumentFormat;

  @ObjectField({
    check: variablesProblem,
    writeOnly: true,
    schema: { additionalProperties: { type: 'string' } },
    description: 'Values of the variables that the document refers to. The environment of the hub is never read',
  })
  env?: Record<string, string>;

  @TextField({ min: MIN_PASSPHRASE, max: MAX_PASSPHRASE, writeOnly: true, description: 'Opens sealed secrets' })
  passphrase?: string;
}

const MAX_VERSION = 2_147_483_647;

const labelsProblem = (labels: Record<string, unknown>): string | null => {
  const good = Object.entries(labels).every(
    ([label, version]) => MOVABLE_LABEL_PATTERN.test(label) && Number.isInteger(version) && Number(version) >= 1,
  );
  return good ? null : `must map labels to numbers of versions; a label is ${MOVABLE_LABEL_FORM}`;
};

class PromptEntryFields {
  @ObjectField({ check: labelsProblem, description: 'The version that each label stands at; others are removed' })
  labels?: Record<string, number>;

  @AnswerField({ type: 'array', items: { type: 'object' }, required: false, description: 'Texts, oldest first' })
  @satisfies('versions', (value) =>
    value === undefined || (Array.isArray(value) && value.length > 0 && value.every(isPlainObject))
      ? null
      : 'must be a list of one or more versions',
  )
  versions?: Record<string, unknown>[];
}

/** A prompt in a document: absent fields keep their value, `null` clears. */
export class PromptEntry extends IntersectionType(
  PickType(PromptCreate, ['name']),
  PromptMetadata,
  PromptEntryFields,
) {}

/** A version of a prompt in a document. */
export class PromptVersionEntry extends PromptContent {
  @IntegerField({ min: 1, max: MAX_VERSION, description: 'Its number in the document; without it, its place' })
  version?: number;

  @TextField({ min: 0, max: 500 })
  message?: string;

  @TextField({ max: 64, pattern: /^[0-9a-f]{64}$/, form: 'a SHA-256 in hex' })
  content_sha256?: string;
}

/** Tells an envelope from a document. */
export const isEnvelope = (body: unknown): body is Record<string, unknown> =>
  isPlainObject(body) && Object.hasOwn(body, 'document');

export const PLAN_ACTIONS = ['create', 'change', 'delete', 'unchanged'] as const;
export type PlanAction = (typeof PLAN_ACTIONS)[number];

const PLAN_KINDS = ['model', 'prompt', 'alert_rule'] as const;

/** What happens to one model, prompt or alert rule. */
export class PlanItem {
  @AnswerField({ type: 'string', enum: [...PLAN_KINDS] }) kind: (typeof PLAN_KINDS)[number];
  @AnswerField({ type: 'string', description: 'Alias or name' }) name: string;
  @AnswerField({ enum: [...PLAN_ACTIONS], enumName: 'PlanAction' }) action: PlanAction;
  @AnswerField({ type: [FieldChange], description: 'As the history will tell it; secrets as fingerprints' })
  changes: FieldChange[];
  @AnswerField({ type: [String] }) notes: string[];
}

export const REPORT_LEVELS = ['adapted', 'ignored', 'unsupported'] as const;
export type ReportLevel = (typeof REPORT_LEVELS)[number];

/** Something in a foreign document that is not here as it was there. */
export class ReportEntry {
  @AnswerField({
    enum: [...REPORT_LEVELS],
    enumName: 'ReportLevel',
    description:
      'adapted: is there in another form; ignored: has nothing to do here; unsupported: has no counterpart, and is missing',
  })
  level: ReportLevel;
  @AnswerField({ type: 'string', description: 'Where it stands, such as model_list[3].litellm_params.tpm' })
  path: string;
  @AnswerField({ type: 'string' }) message: string;
}

/** A secret that the document refers to and nobody sent; it is gone on without. */
export class MissingSecret {
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ type: 'string', example: 'api_key' }) field: string;
  @AnswerField({ type: 'string', nullable: true, description: 'The variable; null: it is sealed' })
  variable: string | null;
}

/** How many there are of each action. */
export class PlanSummary {
  @AnswerField({ type: 'integer' }) create: number;
  @AnswerField({ type: 'integer' }) change: number;
  @AnswerField({ type: 'integer' }) delete: number;
  @AnswerField({ type: 'integer' }) unchanged: number;
}

/** Answer of `POST /import`: what was done or, of a dry run, what would be. */
export class ImportPlan {
  @AnswerField({ type: 'boolean' }) dry_run: boolean;
  @AnswerField({ enum: [...DOCUMENT_FORMATS], enumName: 'DocumentFormat' }) format: DocumentFormat;
  @AnswerField({ type: PlanSummary }) summary: PlanSummary;
  @AnswerField({ type: [PlanItem], description: 'By kind, then name' }) items: PlanItem[];
  @AnswerField({ type: [ReportEntry] }) report: ReportEntry[];
  @AnswerField({ type: [MissingSecret] }) missing_secrets: MissingSecret[];
  @AnswerField({ type: 'string', description: 'SHA-256 of the items: the same plan has the same' }) plan_digest: string;
  @AnswerField({ type: 'integer', nullable: true, description: 'Revision with the changes in it; null: a dry run' })
  revision: number | null;
}
