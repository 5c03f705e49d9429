import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { PromptVersionEntity } from './prompt-version.entity.js';

const TABLE = 'system_prompt_template_labels';
const KEY = { primaryKeyConstraintName: `pk_${TABLE}` } as const;

/** Where a label stands. One row for each, so it has one holder whatever happens; its moves are in the change history. */
@Entity(TABLE)
@Check(`ck_${TABLE}_label`, `label ~ '^[a-z][a-z0-9._-]{0,35}$' AND label NOT IN ('latest', 'draft')`)
@ForeignKey(() => PromptVersionEntity, ['templateId', 'version'], ['templateId', 'version'], {
  name: `fk_${TABLE}_version`,
  onDelete: 'RESTRICT',
})
export class PromptLabelEntity {
  @PrimaryColumn({ name: 'template_id', type: 'uuid', ...KEY })
  templateId: string;

  @PrimaryColumn({ type: 'varchar', length: 36, ...KEY })
  label: string;

  @Column({ type: 'integer' })
  version: number;

  @Column({ name: 'moved_by', type: 'varchar', length: 64 })
  movedBy: string;

  @Column({ name: 'moved_at', type: 'timestamptz', default: () => 'now()' })
  movedAt: Date;
}

/** A label that only a token with scope `admin` moves or removes, in every template. */
@Entity('protected_prompt_labels')
export class ProtectedLabelEntity {
  @PrimaryColumn({ type: 'varchar', length: 36, primaryKeyConstraintName: 'pk_protected_prompt_labels' })
  label: string;
}
