// Alert rules are evaluated minute by minute, on usage that came in by the way all usage comes: who is told what, and when.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AlertNotice } from '../src/contract/alert-notice.js';
import { bucketOf } from '../src/contract/histogram.js';
import type { UsageRecord } from '../src/contract/usage.contract.js';
import type { AlertEvaluator } from '../src/storage/alert/evaluation/alert-evaluator.js';
import { AlertRetention } from '../src/storage/alert/evaluation/alert-retention.js';
import { aUsageRecord } from './factories/usage-record.js';
import { addChannel, addRule, addSilence, inShort, noticesOf, toldEvaluator } from './support/alert-evaluation.js';
import { saveModel, type Json } from './support/calls.js';
import { startHub, type TestHub } from './support/hub.js';
import { DAY, HOUR, MINUTE, postUsage } from './support/statistics.js';

describe('the evaluation of alerts', () => {
  let hub: TestHub;
  let evaluator: AlertEvaluator;
  /** Each story has some hours of its own, and its minutes are counted from their beginning. */
  let beginning = Math.floor(Date.now() / DAY) * DAY - 20 * DAY;
  const at = (minute: number): Date => new Date(beginning + minute * MINUTE);
  const query: TestHub['database']['query'] = (text, values) => hub.database.query(text, values);

  beforeAll(async () => {
    hub = await startHub({ env: { SERVICE_ROLE: 'storage' } });
    await query('DELETE FROM alert_rules');
  });
  afterAll(() => hub.close());
  beforeEach(async () => {
    beginning += 30 * HOUR;
    for (const table of ['alert_rules', 'alerts', 'alert_silences', 'alert_channels', 'alert_notifications']) {
      await query(`DELETE FROM ${table}`);
    }
    await query('UPDATE alert_evaluation SET evaluated_to = $1', [at(0)]);
    evaluator = await toldEvaluator(hub);
  });

  const calls = (alias: string, minute: number, count: number, fields: Partial<UsageRecord> = {}): UsageRecord =>
    aUsageRecord({
      alias,
      minute: at(minute).getTime(),
      calls: count,
      latency: [bucketOf(100), count],
      first_byte_calls: count,
      first_byte: [bucketOf(10), count],
      ...fields,
    });
  const failed = { outcome: 'server' } as const;
  const minutes = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
  /** Evaluates the minutes until this one, each at its time. */
  const evaluateUntil = async (minute: number): Promise<void> => {
    const [row] = await query<{ to: Date }>('SELECT evaluated_to AS to FROM alert_evaluation');
    for (const one of minutes(((row?.to.getTime() ?? 0) - beginning) / MINUTE + 1, minute + 1)) {
      await evaluator.evaluateUpTo(new Date(at(one).getTime() + 15_000));
    }
  };
  const told = async (): Promise<string[]> =>
    (await noticesOf(hub.database)).map(
      (notice) => `${(Date.parse(notice.at) - beginning) / MINUTE} ${inShort(notice)}`,
    );

  it('tells once what, since when, figure and threshold, and once that it is over', async () => {
    await addRule(hub.database, { name: 'errors', kind: 'error_rate', severity: 'critical', language: 'en' });
    await addChannel(hub.database);
    const failing = minutes(0, 3).map((minute) => calls('fast', minute, 6, failed));
    await postUsage(hub, ...failing, ...minutes(0, 12).map((minute) => calls('fast', minute, 14)));
    await evaluateUntil(12);
    const [rule] = await query<{ id: string }>('SELECT id FROM alert_rules');
    const [alert] = await query<{ id: string }>('SELECT id FROM alerts');
    const notice: AlertNotice = {
      event: 'firing',
      at: at(3).toISOString(),
      rule: {
        id: rule?.id ?? '',
        name: 'errors',
        description: null,
        kind: 'error_rate',
        severity: 'critical',
        scope: 'all',
        scope_value: null,
        unit: 'percent',
        threshold: 20,
        window_minutes: 5,
      },
      language: 'en',
      alerts: [
        {
          id: alert?.id ?? '',
          subject: 'fast',
          value: 30,
          calls: 60,
          since: at(1).toISOString(),
          resolved_at: null,
          reason: null,
        },
      ],
      more: 0,
    };
    // Of 88 calls in the window 18 failed at its 5th minute: 20.45 %; of 82 at the next one 12.
    const over = { value: 0, calls: 70, resolved_at: at(10).toISOString(), reason: 'recovered' };
    expect(await noticesOf(hub.database)).toEqual([
      notice,
      { ...notice, event: 'resolved', at: at(10).toISOString(), alerts: [{ ...notice.alerts[0], ...over }] },
    ]);
    expect(await query('SELECT order_key, state FROM alert_notifications')).toEqual(
      [1, 2].map(() => ({ order_key: `rule:${rule?.id}`, state: 'queued' })),
    );
  });

  it('tells later what began when no channel was there, and only to channels that want it', async () => {
    await addRule(hub.database, { name: 'errors', kind: 'error_rate', for_minutes: 0, channels: ['ops'] });
    await postUsage(hub, ...minutes(0, 8).map((minute) => calls('fast', minute, 20, failed)));
    await evaluateUntil(3);
    await addChannel(hub.database, { name: 'team' });
    await addChannel(hub.database, { name: 'ops', min_severity: 'critical' });
    await evaluateUntil(4);
    expect(await told()).toEqual([]);
    expect(await query('SELECT state, notified_at FROM alerts')).toEqual([{ state: 'firing', notified_at: null }]);
    await query(`UPDATE alert_channels SET min_severity = 'warning' WHERE name = 'ops'`);
    await evaluateUntil(6);
    expect(await told()).toEqual(['5 errors firing: fast']);
    const [notice] = await noticesOf(hub.database);
    expect(notice?.alerts[0]?.since).toBe(at(1).toISOString());
    expect(await query('SELECT channel_name FROM alert_notifications')).toEqual([{ channel_name: 'ops' }]);
  });

  it('tells of what it looks at only: an alias, a provider, a tag or a tag with its value', async () => {
    const [red, blue] = await Promise.all(['red', 'blue'].map((team) => saveModel(hub, { tags: { team } })));
    const scopes = [
      ['of-alias', 'alias', 'other'],
      ['of-provider', 'provider', 'claude'],
      ['of-tag', 'tag', 'team'],
      ['of-tag-value', 'tag', 'team:red'],
    ];
    for (const [name, scope, value] of scopes) {
      const rule = { name, kind: 'error_rate', scope, scope_value: value, for_minutes: 0 };
      await addRule(hub.database, rule);
      await addRule(hub.database, {
        ...rule,
        name: `${name}-all`,
        kind: 'no_calls',
        threshold: 1000,
        window_minutes: 5,
      });
    }
    await addChannel(hub.database);
    const ofModel = (model: Json | undefined): UsageRecord =>
      calls(String(model?.['alias']), 0, 20, { ...failed, config_id: String(model?.['id']) });
    const elsewhere = calls('elsewhere', 0, 40, { ...failed, provider: 'claude' });
    await postUsage(hub, ofModel(red), ofModel(blue), calls('other', 0, 10, failed), elsewhere);
    await evaluateUntil(1);
    const both = [String(red?.['alias']), String(blue?.['alias'])].sort().join(', ');
    expect(await told()).toEqual([
      '1 of-alias firing: other',
      '1 of-alias-all firing: alias:other',
      '1 of-provider firing: elsewhere',
      '1 of-provider-all firing: provider:claude',
      `1 of-tag firing: ${both}`,
      '1 of-tag-all firing: tag:team',
      `1 of-tag-value firing: ${String(red?.['alias'])}`,
      '1 of-tag-value-all firing: tag:team:red',
    ]);
    const figures = (await noticesOf(hub.database)).filter(({ rule }) => rule.kind === 'no_calls');
    expect(figures.map(({ alerts }) => alerts[0]?.value)).toEqual([10, 40, 40, 20]);
  });

  it('has figures of windows of all lengths, exact to the call, the cent and the bucket', async () => {
    const rules: Json[] = [
      { name: 'a-spend', kind: 'spend', threshold: 12.88, window_minutes: 1439 },
      { name: 'b-spend', kind: 'spend', threshold: 14.68, window_minutes: 1440 },
      { name: 'c-spend', kind: 'spend', threshold: 12.89, window_minutes: 1439 },
      { name: 'd-latency', kind: 'latency_p95', threshold: 4950, window_minutes: 1 },
      { name: 'e-latency', kind: 'latency_p95', threshold: 4950, window_minutes: 2 },
      { name: 'f-first', kind: 'first_token_p95', threshold: 990, window_minutes: 1 },
      { name: 'g-first', kind: 'first_token_p95', threshold: 1010, window_minutes: 1 },
    ];
    for (const rule of rules) await addRule(hub.database, { for_minutes: 0, ...rule });
    await addChannel(hub.database);
    const cent = { input_tokens: 1, cached_tokens: 0, output_tokens: 0, input_price_per_million: 10_000 };
    const priced = { ...cent, output_price_per_million: 0 };
    // At the edges of the longest window, of its whole hours, and just outside; the shorter one lacks the first of them.
    const counts = [-5, 0, 59, 60, 700, 1379, 1380, 1434].map((minute, index) => [minute, 180 + index] as const);
    const outside = [-6, 1435].map((minute) => [minute, 500] as const);
    await postUsage(
      hub,
      ...[...counts, ...outside].map(([minute, count]) =>
        calls('counted', minute, count, { ...priced, input_tokens: count }),
      ),
    );
    const slow = { latency: [bucketOf(100), 18, bucketOf(5000), 2], first_byte: [bucketOf(1000), 20] };
    await postUsage(hub, calls('slow', 1434, 20, slow), calls('slow', 1433, 40));
    await query('UPDATE alert_evaluation SET evaluated_to = $1', [at(1434)]);
    await evaluateUntil(1435);
    expect(await told()).toEqual([
      '1435 a-spend firing: all',
      '1435 b-spend firing: all',
      '1435 d-latency firing: slow',
      '1435 f-first firing: slow',
    ]);
    const values = (await noticesOf(hub.database)).map(({ alerts }) => alerts[0]?.value ?? 0);
    expect(values.slice(0, 2)).toEqual([12.88, 14.68]);
    expect(Math.abs((values[2] ?? 0) - 5000)).toBeLessThanOrEqual(50);
    expect(Math.abs((values[3] ?? 0) - 1000)).toBeLessThanOrEqual(10);
  });

  it('groups what began in one minute, and reminds of it until somebody takes care', async () => {
    await addRule(hub.database, { name: 'errors', kind: 'error_rate', for_minutes: 0, reminder_minutes: 2 });
    await addChannel(hub.database);
    await addSilence(hub.database, { subject: 'down-0*', starts_at: at(0), ends_at: at(3) });
    const aliases = minutes(0, 60).map((number) => `down-${String(number).padStart(2, '0')}`);
    for (const minute of minutes(0, 6))
      await postUsage(hub, ...aliases.map((alias) => calls(alias, minute, 10, failed)));
    await evaluateUntil(4);
    await query('UPDATE alerts SET acknowledged_at = now()');
    await evaluateUntil(6);
    const seen = (await noticesOf(hub.database)).map(({ event, at: time, alerts, more }) => [
      (Date.parse(time) - beginning) / MINUTE,
      event,
      alerts.length,
      more,
      alerts[0]?.subject,
    ]);
    expect(seen).toEqual([
      [1, 'firing', 50, 0, 'down-10'],
      [3, 'firing', 10, 0, 'down-00'],
      [3, 'reminder', 50, 0, 'down-10'],
    ]);
    await query('UPDATE alerts SET acknowledged_at = NULL');
    await evaluateUntil(7);
    const last = (await noticesOf(hub.database)).at(-1);
    expect([last?.event, last?.alerts.length, last?.more]).toEqual(['reminder', 50, 10]);
  });

  it('ends what its rule does not look at any more, and says so where it was told', async () => {
    for (const name of ['deleted', 'narrowed', 'off', 'stays']) {
      await addRule(hub.database, { name, kind: 'error_rate', for_minutes: 0, channels: ['team'] });
    }
    await addChannel(hub.database);
    await postUsage(hub, ...minutes(0, 4).map((minute) => calls('fast', minute, 20, failed)));
    await evaluateUntil(1);
    await addChannel(hub.database, { name: 'late' });
    await query(`DELETE FROM alert_rules WHERE name = 'deleted'`);
    await query(`UPDATE alert_rules SET scope = 'alias', scope_value = 'slow' WHERE name = 'narrowed'`);
    await query(`UPDATE alert_rules SET is_enabled = false WHERE name = 'off'`);
    await evaluateUntil(3);
    expect((await told()).slice(4)).toEqual([
      '2 narrowed resolved: fast',
      '2 off resolved: fast',
      '2 deleted resolved: fast',
    ]);
    expect(await query('SELECT DISTINCT channel_name FROM alert_notifications')).toEqual([{ channel_name: 'team' }]);
    const over = await query<{ name: string }>(
      `SELECT rule_name AS name FROM alerts WHERE resolved_reason = 'rule_off' ORDER BY 1`,
    );
    expect(over.map(({ name }) => name)).toEqual(['deleted', 'narrowed', 'off']);
  });

  it('goes on without a rule that makes no sense, and says so once', async () => {
    await addRule(hub.database, { name: 'broken', kind: 'error_rate', window_minutes: 100_000 });
    await addRule(hub.database, { name: 'errors', kind: 'error_rate', for_minutes: 0 });
    await addChannel(hub.database);
    await postUsage(hub, calls('fast', 0, 20, failed));
    await evaluateUntil(3);
    expect(await told()).toEqual(['1 errors firing: fast']);
    const lines = hub
      .logs()
      .split('\n')
      .filter((line) => line.includes('An alert rule cannot be evaluated'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('the window is 100000 minutes, not 1 to 60');
  });

  it('knows of a process that does not take a newer revision, and of no other one', async () => {
    await addRule(hub.database, { name: 'stale', kind: 'stale_instance' });
    await addChannel(hub.database);
    await saveModel(hub);
    const [state] = await query<{ revision: string }>('SELECT revision FROM hub_revision');
    const newest = Number(state?.revision);
    const report = async (id: string, revision: number | null): Promise<unknown> =>
      await hub
        .request('post', '/internal/v1/instances', hub.serviceToken)
        .send({ id, role: 'ai-model', version: '1', host: 'host', started_at: at(0), revision, source: null })
        .expect(204);
    const behind = async (id: string): Promise<boolean> => {
      const [row] = await query<{ since: Date | null }>(
        'SELECT behind_since AS since FROM ai_model_instances WHERE id = $1',
        [id],
      );
      return row?.since !== null;
    };
    const [current, fresh, stuck, moving] = [0, 1, 2, 3].map((digit) => `${digit}0000000-0000-4000-8000-000000000000`);
    await report(current as string, newest);
    await report(fresh as string, null);
    await report(stuck as string, newest - 2);
    await report(moving as string, newest - 2);
    const all = [current, fresh, stuck, moving] as string[];
    expect(await Promise.all(all.map(behind))).toEqual([false, false, true, true]);
    // Two minutes later the one has not moved, and the other one was overtaken again.
    await query(`UPDATE ai_model_instances SET behind_since = behind_since - interval '2 minutes'`);
    await report(stuck as string, newest - 2);
    await report(moving as string, newest - 1);
    await query(`UPDATE alert_evaluation SET evaluated_to = now() - interval '90 seconds'`);
    await evaluator.evaluateUpTo(new Date());
    expect((await noticesOf(hub.database)).map(inShort)).toEqual(['stale firing: host 20000000']);
    await report(stuck as string, newest);
    expect(await behind(stuck as string)).toBe(false);
  });

  it('is done by one process at a time, and catches up what was missed', async () => {
    await addRule(hub.database, { name: 'degraded', kind: 'storage_degraded' });
    await addChannel(hub.database);
    const held = hub.database.query('SELECT pg_advisory_lock(4200723008), pg_sleep(0.5)');
    await new Promise((resolve) => setTimeout(resolve, 250));
    await evaluator.evaluateUpTo(new Date(at(1).getTime() + 15_000));
    const evaluatedTo = async (): Promise<Date | undefined> =>
      (await query<{ to: Date }>('SELECT evaluated_to AS to FROM alert_evaluation'))[0]?.to;
    expect(await evaluatedTo()).toEqual(at(0));
    await held;
    const other = await toldEvaluator(hub);
    const now = new Date(at(8).getTime() + 15_000);
    while ((await evaluatedTo())?.getTime() !== at(8).getTime()) {
      await Promise.all([evaluator.evaluateUpTo(now), other.evaluateUpTo(now)]);
    }
    expect(await told()).toEqual(['1 degraded firing: hub', '6 degraded resolved: hub']);
    expect((await noticesOf(hub.database))[0]?.alerts[0]?.value).toBe(7);
    // One that stood still looks at an old time: what was evaluated meanwhile stays so.
    const late = await toldEvaluator(hub);
    await evaluateUntil(30);
    await late.evaluateUpTo(new Date(at(2).getTime() + 15_000));
    expect(await evaluatedTo()).toEqual(at(30));
    expect(await told()).toHaveLength(2);
    expect(hub.logs()).toContain('Alerts were not evaluated for a while; catching up');
  });

  it('keeps what is over for 90 days', async () => {
    const retention = hub.application.nest.get(AlertRetention, { strict: false });
    const insert = `INSERT INTO alerts (rule_id, rule_name, kind, severity, subject, state, since, last_bad_at, resolved_at)
      SELECT gen_random_uuid(), 'old', 'error_rate', 'warning', 'fast', 'resolved', $1, $1, $2 FROM generate_series(1, 2500)`;
    const ago = (days: number): Date => new Date(Date.now() - days * DAY);
    await query(insert, [ago(200), ago(91)]);
    await query(insert.replace('2500', '1'), [ago(200), ago(89)]);
    await query(insert.replace('2500', '1'), [ago(200), null]);
    await retention.run();
    expect(await query('SELECT count(*)::int AS count FROM alerts')).toEqual([{ count: 2 }]);
  });
});
