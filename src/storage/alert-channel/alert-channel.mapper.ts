import type { AlertChannelUpdate, AlertChannelView, SmtpSettingsView } from '../../contract/alert-channel.contract.js';
import type { AlertChannelEntity } from './alert-channel.entity.js';

const PLAIN_COLUMNS = {
  name: 'name',
  is_enabled: 'isEnabled',
  min_severity: 'minSeverity',
  language: 'language',
} as const satisfies Partial<Record<keyof AlertChannelUpdate, keyof AlertChannelEntity>>;

type PlainField = keyof typeof PLAIN_COLUMNS;

/** The columns of the fields that were sent, secrets left out. */
export const toColumns = (change: AlertChannelUpdate): Partial<AlertChannelEntity> => ({
  ...Object.fromEntries(
    (Object.keys(PLAIN_COLUMNS) as PlainField[])
      .filter((field) => change[field] !== undefined)
      .map((field) => [PLAIN_COLUMNS[field], change[field]]),
  ),
  ...(change.smtp !== undefined && toSmtpColumns(change.smtp)),
});

const toSmtpColumns = (smtp: AlertChannelUpdate['smtp']): Partial<AlertChannelEntity> => ({
  smtpHost: smtp?.host ?? null,
  smtpPort: smtp?.port ?? null,
  smtpSecurity: smtp?.security ?? null,
  smtpUser: smtp?.user ?? null,
  mailFrom: smtp?.from ?? null,
  mailTo: smtp?.to ?? [],
});

/** null: a channel of another kind. */
export const smtpOf = (row: AlertChannelEntity): SmtpSettingsView | null => {
  const { smtpHost: host, smtpPort: port, smtpSecurity: security, smtpUser: user, mailFrom: from, mailTo: to } = row;
  if (host === null || port === null || security === null || from === null) return null;
  return { host, port, security, user, from, to };
};

/** What the history keeps of a channel: every field somebody sets, secrets as fingerprints. */
export const toHistoryState = (row: AlertChannelEntity): Record<string, unknown> => ({
  name: row.name,
  kind: row.kind,
  is_enabled: row.isEnabled,
  min_severity: row.minSeverity,
  language: row.language,
  url: row.urlFingerprint,
  url_origin: row.urlOrigin,
  secret: row.secretFingerprint,
  smtp: smtpOf(row),
});

const time = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Lists what leaves the house. */
export const toChannelView = (row: AlertChannelEntity, isReadable: boolean): AlertChannelView => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  is_enabled: row.isEnabled,
  min_severity: row.minSeverity,
  language: row.language,
  url_origin: row.urlOrigin,
  has_secret: row.secret !== null,
  credential_readable: isReadable,
  smtp: smtpOf(row),
  last_delivered_at: time(row.lastDeliveredAt),
  last_failed_at: time(row.lastFailedAt),
  last_error: row.lastError,
  version: row.version,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});
