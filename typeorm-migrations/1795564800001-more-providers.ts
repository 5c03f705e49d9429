import type { MigrationInterface, QueryRunner } from 'typeorm';

const ADDED = ['mistral', 'groq', 'xai', 'deepseek', 'cohere', 'amazon_bedrock', 'google_vertex'];
const BEFORE = ['openai', 'gemini', 'claude', 'local', 'azure_openai', 'huggingface', 'openai_compatible'];

const listed = (values: string[]): string => values.map((value) => `'${value}'`).join(', ');

export class MoreProviders1795564800001 implements MigrationInterface {
  /** Nothing here uses the new values: PostgreSQL refuses that in the transaction that adds them. */
  async up(runner: QueryRunner): Promise<void> {
    for (const provider of ADDED) await runner.query(`ALTER TYPE ai_provider_enum ADD VALUE '${provider}'`);
  }

  /**
   * A value cannot be taken out of a type, so the type is made anew. Configs and what was counted stay, as of a server that
   * is compatible with OpenAI; keys must be entered again, since they were sealed for another provider.
   */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TYPE ai_provider_enum RENAME TO ai_provider_enum_with_more`);
    await runner.query(`CREATE TYPE ai_provider_enum AS ENUM (${listed(BEFORE)})`);
    await runner.query(`ALTER TABLE ai_model_configs ALTER COLUMN provider TYPE ai_provider_enum USING
      (CASE WHEN provider::text IN (${listed(ADDED)}) THEN 'openai_compatible' ELSE provider::text END)::ai_provider_enum`);
    await runner.query('DROP TYPE ai_provider_enum_with_more');
    await runner.query(`UPDATE usage_series SET provider = 'openai_compatible' WHERE provider IN (${listed(ADDED)})`);
  }
}
