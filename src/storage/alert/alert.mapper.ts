import { ALERT_KIND_TRAITS } from '../../contract/alert-kinds.js';
import type { AlertSilenceView, AlertView, SilenceState } from '../../contract/alert.contract.js';
import type { AlertEntity, AlertSilenceEntity } from './alert.entities.js';
import { isSilenced, type Silence } from './silences.js';

type Names = ReadonlyMap<string, string>;

/** What a view says beside its row: who the people are, and what is silenced at this moment. */
export interface AlertContext {
  names: Names;
  silences: readonly Silence[];
  at: Date;
}

const time = (date: Date | null): string | null => date?.toISOString() ?? null;
const nameOf = (names: Names, id: string | null): string | null => (id === null ? null : (names.get(id) ?? null));

/** Lists what leaves the house. */
export const toAlertView = (row: AlertEntity, { names, silences, at }: AlertContext): AlertView => ({
  id: row.id,
  rule_id: row.ruleId,
  rule: row.ruleName,
  kind: row.kind,
  severity: row.severity,
  subject: row.subject,
  state: row.state,
  value: row.value,
  threshold: row.threshold,
  unit: ALERT_KIND_TRAITS[row.kind].unit,
  calls: row.calls,
  since: row.since.toISOString(),
  fired_at: time(row.firedAt),
  resolved_at: time(row.resolvedAt),
  reason: row.resolvedReason,
  notified_at: time(row.notifiedAt),
  acknowledged_at: time(row.acknowledgedAt),
  acknowledged_by: row.acknowledgedBy,
  acknowledged_by_name: nameOf(names, row.acknowledgedBy),
  is_silenced: row.state !== 'resolved' && isSilenced(silences, row.ruleName, row.subject, at),
});

const stateOf = ({ startsAt, endsAt }: Silence, at: Date): SilenceState => {
  if (endsAt <= at) return 'ended';
  return startsAt > at ? 'scheduled' : 'active';
};

export const toSilenceView = (
  row: AlertSilenceEntity,
  { names, at }: Omit<AlertContext, 'silences'>,
): AlertSilenceView => ({
  id: row.id,
  rule: row.ruleName,
  subject: row.subject,
  state: stateOf(row, at),
  starts_at: row.startsAt.toISOString(),
  ends_at: row.endsAt.toISOString(),
  comment: row.comment,
  created_by: row.createdBy,
  created_by_name: nameOf(names, row.createdBy),
  created_at: row.createdAt.toISOString(),
});

/** What the history keeps of a silence. */
export const toSilenceHistoryState = (row: AlertSilenceEntity): Record<string, unknown> => ({
  rule: row.ruleName,
  subject: row.subject,
  starts_at: row.startsAt.toISOString(),
  ends_at: row.endsAt.toISOString(),
  comment: row.comment,
});
