import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** One row: whose turn it is to test models, and how many tests of the day are used up. */
@Entity('scheduled_tests')
@Check('ck_scheduled_tests_one_row', 'id = 1')
export class ScheduledTestsEntity {
  @PrimaryColumn({ type: 'smallint', default: 1, primaryKeyConstraintName: 'pk_scheduled_tests' })
  id: number;

  /** A process of the AI model service; null: nobody had the turn yet. */
  @Column({ type: 'uuid', nullable: true })
  holder: string | null;

  @Column({ name: 'held_until', type: 'timestamptz', nullable: true })
  heldUntil: Date | null;

  /** The UTC day that `used` is of. */
  @Column({ type: 'date', default: '1970-01-01' })
  day: string;

  @Column({ type: 'integer', default: 0 })
  used: number;
}
