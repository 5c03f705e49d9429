// Notices for the specs of messages and senders.
import { ALERT_KIND_TRAITS, type AlertKind } from '../../../contract/alert-kinds.js';
import type { AlertNotice, BudgetNotice, NoticeAlert, TestNotice } from '../../../contract/alert-notice.js';

const AT = '2026-11-25T04:43:15.000Z';

/** What is wrong with the first subject of a kind, and how much it is. */
const FIGURES: Record<AlertKind, Pick<NoticeAlert, 'subject' | 'value' | 'calls'>> = {
  error_rate: { subject: 'fast', value: 42.307_692, calls: 52 },
  latency_p95: { subject: 'fast', value: 83_412.5, calls: 310 },
  first_token_p95: { subject: 'fast', value: 16_020, calls: 25 },
  no_calls: { subject: 'all', value: 0, calls: 0 },
  rate_limited: { subject: 'openai/gpt-4.1', value: 61, calls: 1204 },
  spend: { subject: 'tag:cheap', value: 104.256_3, calls: 88_012 },
  bad_credential: { subject: 'fast', value: null, calls: null },
  failing_test: { subject: 'fast', value: null, calls: null },
  undecryptable_secret: { subject: 'fast', value: null, calls: null },
  stale_instance: { subject: 'hub-ai-7c9 (3fa85f64)', value: 95, calls: null },
  storage_degraded: { subject: 'hub', value: 7, calls: null },
};

/** What the figures of a kind are when it is good again. */
const RECOVERED: Partial<Record<AlertKind, number>> = {
  error_rate: 1.5,
  latency_p95: 2140,
  first_token_p95: 870,
  no_calls: 14,
  rate_limited: 0,
  spend: 98.2,
  stale_instance: 0,
  storage_degraded: 0,
};

export const anAlert = (fields: Partial<NoticeAlert> = {}): NoticeAlert => ({
  id: '0b0d5e3a-6f4c-4b4e-9b60-2a8f5f3f9a01',
  ...FIGURES.error_rate,
  since: '2026-11-25T04:31:00.000Z',
  resolved_at: null,
  reason: null,
  ...fields,
});

export const aNotice = (
  kind: AlertKind = 'error_rate',
  event: AlertNotice['event'] = 'firing',
  fields: Partial<AlertNotice> = {},
): AlertNotice => {
  const traits = ALERT_KIND_TRAITS[kind];
  const over =
    event === 'resolved'
      ? { resolved_at: '2026-11-25T04:43:00.000Z', reason: 'recovered' as const, value: RECOVERED[kind] ?? null }
      : {};
  return {
    event,
    at: AT,
    rule: {
      id: '7d1c8a52-2f63-4a57-8d6e-f1f0a1b2c3d4',
      name: kind.replaceAll('_', '-'),
      description: null,
      kind,
      severity: 'critical',
      scope: 'all',
      scope_value: null,
      unit: traits.unit,
      threshold: traits.threshold?.default ?? null,
      window_minutes: traits.window?.default ?? null,
    },
    language: null,
    alerts: [anAlert({ ...FIGURES[kind], ...over })],
    more: 0,
    ...fields,
  };
};

export const aBudgetNotice = (fields: Partial<BudgetNotice['budget']> = {}): BudgetNotice => ({
  event: 'budget',
  at: AT,
  budget: {
    id: '5c2b7f10-90f1-4be5-a6a4-0d9c1e2f3a4b',
    name: 'team-search',
    scope: 'tag:search',
    period: 'month',
    from: '2026-11-01T00:00:00.000Z',
    to: '2026-12-01T00:00:00.000Z',
    limit_usd: 500,
    spent_usd: 401.5,
    threshold: 80,
    refuses: false,
    ...fields,
  },
  severity: 'warning',
  language: null,
});

export const A_TEST: TestNotice = { event: 'test', at: AT, severity: 'info', language: null };

/** Several models at once, of which not all are named. */
export const aGroup = (event: AlertNotice['event'], count = 3, more = 0): AlertNotice => {
  const reasons = ['recovered', 'no_data', 'rule_off'] as const;
  const alerts = Array.from({ length: count }, (_none, index) =>
    anAlert({
      id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      subject: `model-${String(index + 1).padStart(2, '0')}`,
      value: 25 + index,
      calls: 40 + index,
      ...(event === 'resolved' ? { resolved_at: AT, reason: reasons[index % 3] ?? null } : {}),
    }),
  );
  return aNotice('error_rate', event, { alerts, more });
};
