import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Somebody is signed in to the console. Without the cookie of his browser it opens nothing. */
@Entity('console_sessions')
@Index('ix_console_sessions_expires_at', ['expiresAt'])
export class ConsoleSessionEntity {
  @PrimaryColumn({ name: 'id_sha256', type: 'char', length: 64, primaryKeyConstraintName: 'pk_console_sessions' })
  idSha256: string;

  @Column({ type: 'bytea' })
  key: Buffer;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  /** To the minute. */
  @Column({ name: 'last_seen_at', type: 'timestamptz', default: () => 'now()' })
  lastSeenAt: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}
