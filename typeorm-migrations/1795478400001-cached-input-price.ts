import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CachedInputPrice1795478400001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE ai_model_configs ADD COLUMN cached_input_price_per_million numeric(14,6)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE ai_model_configs DROP COLUMN cached_input_price_per_million');
  }
}
