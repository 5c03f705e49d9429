import { Column, CreateDateColumn, Entity, PrimaryColumn, Unique, UpdateDateColumn } from 'typeorm';
import type { ChannelKind, SmtpSecurity } from '../../contract/alert-channel.contract.js';
import type { Language, Severity } from '../../contract/alert-kinds.js';

/** Where messages go. */
@Entity('alert_channels')
@Unique('uq_alert_channels_name', ['name'])
export class AlertChannelEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_alert_channels' })
  id: string;

  @Column({ type: 'varchar', length: 64 })
  name: string;

  @Column({ type: 'varchar', length: 20 })
  kind: ChannelKind;

  @Column({ name: 'is_enabled', type: 'boolean', default: true })
  isEnabled: boolean;

  /** What is less urgent is not sent here. */
  @Column({ name: 'min_severity', type: 'varchar', length: 10, default: 'info' })
  minSeverity: Severity;

  @Column({ type: 'varchar', length: 10, default: 'zh-CN' })
  language: Language;

  /** Sealed: whoever knows the address of a chat's robot can write there. null: an e-mail channel. */
  @Column({ type: 'text', nullable: true, select: false })
  url: string | null;

  @Column({ name: 'url_origin', type: 'varchar', length: 300, nullable: true })
  urlOrigin: string | null;

  @Column({ name: 'url_fingerprint', type: 'varchar', length: 64, nullable: true })
  urlFingerprint: string | null;

  /** Sealed: what messages are signed with, or the password for the mail server. */
  @Column({ type: 'text', nullable: true, select: false })
  secret: string | null;

  @Column({ name: 'secret_fingerprint', type: 'varchar', length: 64, nullable: true })
  secretFingerprint: string | null;

  @Column({ name: 'smtp_host', type: 'varchar', length: 253, nullable: true })
  smtpHost: string | null;

  @Column({ name: 'smtp_port', type: 'integer', nullable: true })
  smtpPort: number | null;

  @Column({ name: 'smtp_security', type: 'varchar', length: 10, nullable: true })
  smtpSecurity: SmtpSecurity | null;

  @Column({ name: 'smtp_user', type: 'varchar', length: 200, nullable: true })
  smtpUser: string | null;

  @Column({ name: 'mail_from', type: 'varchar', length: 320, nullable: true })
  mailFrom: string | null;

  @Column({ name: 'mail_to', type: 'text', array: true, default: () => "'{}'" })
  mailTo: string[];

  @Column({ name: 'last_delivered_at', type: 'timestamptz', nullable: true })
  lastDeliveredAt: Date | null;

  @Column({ name: 'last_failed_at', type: 'timestamptz', nullable: true })
  lastFailedAt: Date | null;

  @Column({ name: 'last_error', type: 'varchar', length: 500, nullable: true })
  lastError: string | null;

  @Column({ type: 'integer', default: 1 })
  version: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
