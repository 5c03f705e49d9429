import { IsIn, IsInt, IsOptional, IsString, IsUUID, Length, Max, Min } from 'class-validator';
import { AnswerField, satisfies } from './fields.js';

export const CONFIGURATION_SOURCES = ['storage', 'file'] as const;
/** Where an AI model process has its configuration from: the storage service, or its last-known-good file. */
export type ConfigurationSource = (typeof CONFIGURATION_SOURCES)[number];

/** How long after its last report an instance counts as there. It reports every two seconds. */
export const INSTANCE_GONE_MILLISECONDS = 6000;
export const INSTANCE_REPORT_MILLISECONDS = 2000;

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/;
const timeProblem = (value: unknown): string | null =>
  typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value))
    ? null
    : 'must be a time, such as 2027-01-31T00:00:00Z';

/**
 * What a process that runs the AI model service says of itself, every two seconds and whenever it has taken a newer
 * snapshot. Source: `POST /internal/v1/instances`.
 */
export class InstanceReport {
  /** Another one after each start. */
  @IsUUID() id: string;
  @IsIn(['all', 'ai-model']) role: 'all' | 'ai-model';
  @IsString() @Length(1, 50) version: string;
  /** Name of the machine or container. */
  @IsString() @Length(1, 255) host: string;
  @satisfies('time', timeProblem) started_at: string;
  /** The revision that calls are answered from; null: there is none yet. */
  @IsOptional() @IsInt() @Min(0) @Max(Number.MAX_SAFE_INTEGER) revision: number | null;
  @IsOptional() @IsIn(CONFIGURATION_SOURCES) source: ConfigurationSource | null;
  /** When storage last told that this revision is the newest, RFC 3339; null: never. */
  @IsOptional() @satisfies('time', timeProblem) confirmed_at: string | null;
}

/** A process of this hub. */
export class InstanceView {
  @AnswerField({ type: 'string', format: 'uuid', description: 'Another one after each start' }) id: string;
  @AnswerField({ enum: ['all', 'storage', 'ai-model'], enumName: 'ServiceRole' }) role: 'all' | 'storage' | 'ai-model';
  @AnswerField({ type: 'string' }) version: string;
  @AnswerField({ type: 'string', description: 'Name of its machine or container' }) host: string;
  @AnswerField({ type: 'string', format: 'date-time' }) started_at: string;
  @AnswerField({ type: 'string', format: 'date-time', description: 'When it last reported' }) last_contact_at: string;
  @AnswerField({
    type: 'integer',
    nullable: true,
    description: 'The revision its calls are answered from; null: none yet, or it runs the storage service alone',
  })
  applied_revision: number | null;
  @AnswerField({ type: 'boolean', nullable: true, description: 'Whether that is the newest; null: it has none' })
  is_current: boolean | null;
  @AnswerField({
    type: 'number',
    nullable: true,
    description: 'Seconds since it last knew that its revision is the newest',
  })
  configuration_age_seconds: number | null;
  @AnswerField({ enum: [...CONFIGURATION_SOURCES], enumName: 'ConfigurationSource', nullable: true })
  configuration_source: ConfigurationSource | null;
}

/** The processes that are there, oldest first, and the newest revision. */
export class InstanceList {
  @AnswerField({ type: 'integer', description: 'The newest revision' }) revision: number;
  @AnswerField({ type: [InstanceView] }) instances: InstanceView[];
}
