import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';
import type { GrantableScope } from '../../contract/scopes.js';

@Entity('api_tokens')
@Unique('uq_api_tokens_sha256', ['tokenSha256'])
export class TokenEntity {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'pk_api_tokens' })
  id: string;

  @Column({ type: 'varchar', length: 100 })
  name: string;

  /** How the token's text begins: enough to recognise it, useless to an attacker. */
  @Column({ type: 'varchar', length: 32 })
  prefix: string;

  @Column({ name: 'token_sha256', type: 'char', length: 64 })
  tokenSha256: string;

  @Column({ type: 'text', array: true })
  scopes: GrantableScope[];

  @Column({ name: 'created_by', type: 'varchar', length: 64 })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;

  /** To the minute: it is not worth a write per request. */
  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;
}
