import { Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { MODEL_STATUSES, PROVIDERS, type ModelStatus, type Provider } from '../../contract/providers.js';
import { asNumber, COUNTER, PRICE } from '../database/column-types.js';

/** Why a stored secret is known to be useless: `undecryptable` with this key ring, or `rejected` by the provider. */
export type CredentialError = 'undecryptable' | 'rejected';

// To the letter what the migration says: TypeORM compares the two texts.
const STATUS_EXPRESSION =
  "CASE WHEN NOT is_enabled THEN 'disabled'::model_status_enum " +
  "WHEN api_key IS NULL AND NOT is_local THEN 'needs_api_key'::model_status_enum " +
  "WHEN credential_error IS NOT NULL THEN 'error'::model_status_enum " +
  "ELSE 'configured'::model_status_enum END";

@Entity('ai_model_configs')
@Unique('uq_ai_model_configs_alias', ['alias'])
// For the lists; a decorator can express neither a direction nor INCLUDE nor GIN: see the migration.
@Index('ix_ai_model_configs_order', { synchronize: false })
@Index('ix_ai_model_configs_provider', { synchronize: false })
@Index('ix_ai_model_configs_status', { synchronize: false })
@Index('ix_ai_model_configs_tags', { synchronize: false })
@Index('ix_ai_model_configs_texts', { synchronize: false })
@Index('ix_ai_model_configs_observed', ['observedRevision'], { where: 'observed_revision IS NOT NULL' })
@Index('ix_ai_model_configs_model_name', ['modelName', 'alias'])
@Index('ix_ai_model_configs_created_at', ['createdAt'])
export class ModelConfigEntity {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'pk_ai_model_configs' })
  id: string;

  @Column({ type: 'varchar', length: 100 })
  alias: string;

  @Column({ type: 'enum', enum: PROVIDERS, enumName: 'ai_provider_enum' })
  provider: Provider;

  @Column({ name: 'model_name', type: 'varchar', length: 200 })
  modelName: string;

  @Column({ name: 'display_name', type: 'varchar', length: 200, nullable: true })
  displayName: string | null;

  @Column({ type: 'text', nullable: true })
  description: string | null;

  /** Sealed. Read only where it is opened, compared or sealed anew. */
  @Column({ name: 'api_key', type: 'text', nullable: true, select: false })
  apiKey: string | null;

  @Column({ name: 'has_api_key', type: 'boolean', generatedType: 'STORED', asExpression: 'api_key IS NOT NULL' })
  readonly hasApiKey: boolean;

  @Column({ name: 'api_key_hint', type: 'varchar', length: 16, nullable: true })
  apiKeyHint: string | null;

  /** See SecretVault.fingerprint; null: no key, or one from before there were fingerprints. */
  @Column({ name: 'api_key_fingerprint', type: 'varchar', length: 64, nullable: true })
  apiKeyFingerprint: string | null;

  @Column({ name: 'api_base', type: 'varchar', length: 500, nullable: true })
  apiBase: string | null;

  @Column({ name: 'api_version', type: 'varchar', length: 50, nullable: true })
  apiVersion: string | null;

  /** Sealed JSON object. */
  @Column({ name: 'auth_headers', type: 'text', nullable: true, select: false })
  authHeaders: string | null;

  @Column({ name: 'auth_header_names', type: 'text', array: true, default: '{}' })
  authHeaderNames: string[];

  @Column({ name: 'auth_headers_fingerprint', type: 'varchar', length: 64, nullable: true })
  authHeadersFingerprint: string | null;

  @Column({ name: 'credential_error', type: 'varchar', length: 30, nullable: true })
  credentialError: CredentialError | null;

  /** The revision at which the hub last noticed something of it by itself; null: never. */
  @Column({ name: 'observed_revision', type: 'bigint', nullable: true, select: false, transformer: asNumber })
  observedRevision: number | null;

  @Column({ name: 'max_tokens', type: 'integer', default: 4096 })
  maxTokens: number;

  @Column({ name: 'context_window', type: 'integer', nullable: true })
  contextWindow: number | null;

  @Column({ name: 'default_temperature', type: 'double precision', nullable: true })
  defaultTemperature: number | null;

  @Column({ name: 'default_top_p', type: 'double precision', nullable: true })
  defaultTopP: number | null;

  @Column({ name: 'is_local', type: 'boolean', default: false })
  isLocal: boolean;

  @Column({ name: 'is_streaming_supported', type: 'boolean', default: true })
  isStreamingSupported: boolean;

  @Column({ name: 'supports_files', type: 'boolean', default: false })
  supportsFiles: boolean;

  @Column({ name: 'supports_images', type: 'boolean', default: false })
  supportsImages: boolean;

  @Column({ name: 'supports_videos', type: 'boolean', default: false })
  supportsVideos: boolean;

  @Column({ name: 'supports_audio', type: 'boolean', default: false })
  supportsAudio: boolean;

  @Column({ name: 'supported_file_types', type: 'jsonb', nullable: true })
  supportedFileTypes: string[] | null;

  @Column({ name: 'max_file_size_mb', type: 'integer', nullable: true })
  maxFileSizeMb: number | null;

  @Column({ name: 'custom_parameters', type: 'jsonb', nullable: true })
  customParameters: object | null;

  @Column({ name: 'is_enabled', type: 'boolean', default: true })
  isEnabled: boolean;

  @Column({
    type: 'enum',
    enum: MODEL_STATUSES,
    enumName: 'model_status_enum',
    generatedType: 'STORED',
    asExpression: STATUS_EXPRESSION,
  })
  readonly status: ModelStatus;

  @Column({ type: 'integer', default: 0 })
  priority: number;

  @Column({ name: 'fallback_aliases', type: 'text', array: true, default: '{}' })
  fallbackAliases: string[];

  @Column({ type: 'jsonb', default: {} })
  tags: Record<string, string>;

  @Column({ name: 'system_prompt_name', type: 'varchar', length: 100, nullable: true })
  systemPromptName: string | null;

  @Column({ name: 'system_prompt_label', type: 'varchar', length: 36, nullable: true })
  systemPromptLabel: string | null;

  @Column({ name: 'usage_count', ...COUNTER })
  usageCount: number;

  @Column({ name: 'error_count', ...COUNTER })
  errorCount: number;

  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;

  @Column({ name: 'last_error', type: 'text', nullable: true })
  lastError: string | null;

  @Column({ name: 'request_timeout', type: 'integer', nullable: true })
  requestTimeout: number | null;

  @Column({ name: 'max_retries', type: 'integer', default: 3 })
  maxRetries: number;

  @Column({ name: 'rate_limit_per_minute', type: 'integer', nullable: true })
  rateLimitPerMinute: number | null;

  @Column({ name: 'input_price_per_million', ...PRICE })
  inputPricePerMillion: number | null;

  @Column({ name: 'cached_input_price_per_million', ...PRICE })
  cachedInputPricePerMillion: number | null;

  @Column({ name: 'output_price_per_million', ...PRICE })
  outputPricePerMillion: number | null;

  @Column({ type: 'integer', default: 1 })
  version: number;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}
