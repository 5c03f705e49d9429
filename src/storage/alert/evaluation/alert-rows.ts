import type { EntityManager } from 'typeorm';
import type { AlertEntity } from '../alert.entities.js';
import type { LiveAlert } from './advance.js';
import type { Change } from './judge.js';

/** An alert, and what is said of its rule even when the rule is there no more. */
export type AlertOfRule = LiveAlert & Pick<AlertEntity, 'ruleId' | 'ruleName' | 'kind' | 'severity' | 'threshold'>;

/** Far more than a hub has models; beyond it nothing new is opened. */
const MAX_OPEN_ALERTS = 20_000;

const READ_OPEN = `SELECT id, rule_id AS "ruleId", rule_name AS "ruleName", kind, severity, threshold, subject, state, value,
    calls::double precision AS calls, since, last_bad_at AS "lastBadAt", fired_at AS "firedAt", resolved_at AS "resolvedAt",
    resolved_reason AS "resolvedReason", notified_at AS "notifiedAt", last_notified_at AS "lastNotifiedAt",
    acknowledged_at AS "acknowledgedAt"
  FROM alerts WHERE resolved_at IS NULL ORDER BY rule_id, subject`;

/** Who acknowledged is somebody else's to write. */
const WRITE = `INSERT INTO alerts AS stored (id, rule_id, rule_name, kind, severity, subject, state, value, threshold, calls, since,
    last_bad_at, fired_at, resolved_at, resolved_reason, notified_at, last_notified_at)
  SELECT id, "ruleId", "ruleName", kind, severity, subject, state, value, threshold, calls, since,
    "lastBadAt", "firedAt", "resolvedAt", "resolvedReason", "notifiedAt", "lastNotifiedAt"
  FROM jsonb_to_recordset($1::jsonb) AS alert (id uuid, "ruleId" uuid, "ruleName" text, kind text, severity text, subject text,
    state text, value double precision, threshold double precision, calls bigint, since timestamptz, "lastBadAt" timestamptz,
    "firedAt" timestamptz, "resolvedAt" timestamptz, "resolvedReason" text, "notifiedAt" timestamptz,
    "lastNotifiedAt" timestamptz)
  ON CONFLICT (id) DO UPDATE SET rule_name = excluded.rule_name, severity = excluded.severity, state = excluded.state,
    value = excluded.value, threshold = excluded.threshold, calls = excluded.calls, last_bad_at = excluded.last_bad_at,
    fired_at = excluded.fired_at, resolved_at = excluded.resolved_at, resolved_reason = excluded.resolved_reason,
    notified_at = excluded.notified_at, last_notified_at = excluded.last_notified_at`;
const DELETE = 'DELETE FROM alerts WHERE id = ANY ($1::uuid[])';

/** The alerts that are open when a minute begins to be evaluated. */
export class OpenAlerts {
  private readonly byRule = new Map<string, AlertOfRule[]>();
  private count = 0;
  /** Alerts that were not opened, since there are too many already. */
  dropped = 0;

  private constructor(alerts: readonly AlertOfRule[]) {
    for (const alert of alerts) {
      const others = this.byRule.get(alert.ruleId);
      if (others) others.push(alert);
      else this.byRule.set(alert.ruleId, [alert]);
    }
    this.count = alerts.length;
  }

  static async read(manager: EntityManager): Promise<OpenAlerts> {
    return new OpenAlerts(await manager.query<AlertOfRule[]>(READ_OPEN));
  }

  ofRule(ruleId: string): readonly AlertOfRule[] {
    return this.byRule.get(ruleId) ?? [];
  }

  /** By rule, those of rules that are not known. */
  withoutRule(known: ReadonlySet<string>): AlertOfRule[][] {
    return [...this.byRule].filter(([ruleId]) => !known.has(ruleId)).map(([, alerts]) => alerts);
  }

  /** Takes out the ones that do not fire yet; answers their ids. */
  takePending(): string[] {
    const ids: string[] = [];
    for (const [ruleId, alerts] of this.byRule) {
      const pending = alerts.filter(({ state }) => state === 'pending');
      ids.push(...pending.map(({ id }) => id));
      this.byRule.set(
        ruleId,
        alerts.filter(({ state }) => state !== 'pending'),
      );
    }
    this.count -= ids.length;
    return ids;
  }

  /** The same changes, without new alerts beyond the bound. */
  withinBounds(changes: readonly Change[]): Change[] {
    return changes.filter(({ before }) => {
      if (before) return true;
      const isWithin = this.count < MAX_OPEN_ALERTS;
      if (isWithin) this.count += 1;
      else this.dropped += 1;
      return isWithin;
    });
  }
}

export const writeAlerts = async (
  manager: EntityManager,
  { changed, deleted }: { changed: readonly AlertOfRule[]; deleted: readonly string[] },
): Promise<void> => {
  // First what goes: its subject may begin anew.
  if (deleted.length > 0) await manager.query(DELETE, [deleted]);
  if (changed.length > 0) await manager.query(WRITE, [JSON.stringify(changed)]);
};
