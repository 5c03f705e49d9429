// What is watched, what was found, and who is told of it: rules, alerts and silences over HTTP. The evaluation has a test of its own.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALERT_KIND_TRAITS, ALERT_KINDS } from '../src/contract/alert-kinds.js';
import { MAX_ALERT_RULES } from '../src/contract/alert-rule.contract.js';
import { MAX_OPEN_SILENCES } from '../src/contract/alert.contract.js';
import type { HistoryList } from '../src/contract/history.contract.js';
import {
  actionsOf,
  aDocument,
  applied,
  EXPORT,
  exportDocument,
  exportText,
  planOf,
  revisionOf,
  sendImport,
} from './support/declarative.js';
import { startHub, type TestHub } from './support/hub.js';

type Fields = Record<string, unknown>;

const ALERTS = '/api/v1/alerts';
const RULES = `${ALERTS}/rules`;
const SILENCES = `${ALERTS}/silences`;
const FIRST_RULES = [
  'bad-credential',
  'error-rate',
  'failing-test',
  'rate-limited',
  'slow-answers',
  'stale-instance',
  'storage-degraded',
  'undecryptable-secret',
];
const DEFAULTS = {
  description: null,
  is_enabled: true,
  severity: 'warning',
  scope: 'all',
  scope_value: null,
  threshold: null,
  window_minutes: null,
  min_calls: null,
  for_minutes: null,
  keep_firing_minutes: null,
  reminder_minutes: 0,
  language: null,
  channels: [],
};
/** What somebody may set, each other than its default. */
const EVERY_FIELD = {
  description: 'for people',
  is_enabled: false,
  severity: 'critical',
  scope: 'tag',
  scope_value: 'team:search',
  threshold: 12.5,
  window_minutes: 15,
  min_calls: 7,
  for_minutes: 3,
  keep_firing_minutes: 9,
  reminder_minutes: 60,
  language: 'en',
  channels: ['mail', 'ops'],
};

const fieldsOf = (answer: { body: unknown }): string[] =>
  ((answer.body as { errors?: { field: string }[] }).errors ?? []).map(({ field }) => field);
const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

describe('alerts over HTTP', () => {
  let hub: TestHub;
  let number = 0;

  beforeAll(async () => {
    hub = await startHub();
    for (const name of ['ops', 'mail']) {
      await hub.database.query("INSERT INTO alert_channels (id, name, kind) VALUES ($1, $2, 'webhook')", [
        randomUUID(),
        name,
      ]);
    }
  });
  afterAll(() => hub.close());

  const aRule = (fields: Fields = {}): Fields => ({ name: `rule-${(number += 1)}`, kind: 'error_rate', ...fields });
  const save = async (fields: Fields = {}): Promise<Fields & { id: string }> =>
    (await hub.request('post', RULES).send(aRule(fields)).expect(201)).body as Fields & { id: string };
  const listRules = async (query: Fields): Promise<{ rules: Fields[]; total: number }> =>
    (await hub.request('get', RULES).query(query).expect(200)).body as { rules: Fields[]; total: number };
  const namesOf = async (query: Fields): Promise<unknown[]> => (await listRules(query)).rules.map(({ name }) => name);
  const historyOf = async (id: string): Promise<HistoryList> =>
    (await hub.request('get', `${RULES}/${id}/history`).expect(200)).body as HistoryList;

  describe('rules', () => {
    it('are there on a fresh installation, switched on, as their kinds have them', async () => {
      const { rules, total } = await listRules({});
      expect(rules.map(({ name }) => name)).toEqual(FIRST_RULES);
      expect(total).toBe(FIRST_RULES.length);
      for (const rule of rules)
        expect(rule).toMatchObject({ is_enabled: true, scope: 'all', threshold: null, channels: [], version: 1 });
      expect((await historyOf(String(rules[0]?.['id']))).total).toBe(0);
    });

    it('are created with every field, or with what their kind has by default', async () => {
      const plain = aRule();
      const created = await hub.request('post', RULES).send(plain).expect(201);
      expect(created.headers).toMatchObject({
        etag: '"1"',
        location: `${RULES}/${String((created.body as Fields)['id'])}`,
      });
      expect(created.body).toEqual({
        ...DEFAULTS,
        ...plain,
        id: expect.any(String),
        version: 1,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      });
      const full = await save({ ...EVERY_FIELD, channels: ['ops', 'mail'] });
      expect(full).toMatchObject(EVERY_FIELD);
      const read = await hub.request('get', `${RULES}/${full.id}`).expect(200);
      expect(read.body).toEqual(full);
      await hub.request('get', `${RULES}/${full.id}`).set('if-none-match', '"1"').expect(304);
    });

    it.each(ALERT_KINDS)(
      'of kind %s take its own defaults when they are sent, and refuse what it has not',
      async (kind) => {
        const { threshold, window, minCalls, subject } = ALERT_KIND_TRAITS[kind];
        const body = {
          threshold: threshold?.default ?? null,
          window_minutes: window?.default ?? null,
          min_calls: minCalls,
        };
        expect(await save({ kind, ...body })).toMatchObject({ kind, ...body });
        const wrong: Fields[] = [
          { threshold: threshold ? threshold.max * 1.01 : 5 },
          { threshold: threshold ? threshold.min / 2 : 0 },
          { window_minutes: (window?.max ?? 0) + 1 },
          ...(minCalls === null ? [{ min_calls: 1 }] : []),
          ...(subject === 'instance' || subject === 'hub' ? [{ scope: 'alias', scope_value: 'fast' }] : []),
        ];
        for (const fields of wrong) {
          const answer = await hub
            .request('post', RULES)
            .send(aRule({ kind, ...fields }))
            .expect(400);
          expect(fieldsOf(answer)).toEqual([Object.keys(fields)[0]]);
        }
      },
    );

    it.each([
      [{ scope: 'alias' }, 'scope_value'],
      [{ scope: 'provider' }, 'scope_value'],
      [{ scope: 'tag' }, 'scope_value'],
      [{ scope: 'all', scope_value: 'fast' }, 'scope_value'],
      [{ scope_value: 'fast' }, 'scope_value'],
      [{ scope: 'provider', scope_value: 'nobody' }, 'scope_value'],
      [{ scope: 'alias', scope_value: 'has space' }, 'scope_value'],
      [{ scope: 'tag', scope_value: ':value' }, 'scope_value'],
      [{ scope: 'everything' }, 'scope'],
      [{ name: 'Has Space' }, 'name'],
      [{ name: undefined }, 'name'],
      [{ kind: 'nothing' }, 'kind'],
      [{ kind: undefined }, 'kind'],
      [{ severity: 'loud' }, 'severity'],
      [{ severity: null }, 'severity'],
      [{ threshold: '5' }, 'threshold'],
      [{ window_minutes: 0 }, 'window_minutes'],
      [{ for_minutes: -1 }, 'for_minutes'],
      [{ language: 'fr' }, 'language'],
      [{ channels: 'ops' }, 'channels'],
      [{ channels: ['ops', 'ops'] }, 'channels'],
      [{ channels: ['ops', 'nowhere'] }, 'channels'],
      [{ invented: 1 }, 'invented'],
    ])('are refused with the field that is wrong: %j', async (fields, field) => {
      const answer = await hub.request('post', RULES).send(aRule(fields)).expect(400);
      expect(answer.body).toMatchObject({ code: 'validation_failed' });
      expect(fieldsOf(answer)).toEqual([field]);
    });

    it.each([
      ['alias', 'a/model:1'],
      ['provider', 'openai'],
      ['tag', 'cheap'],
      ['tag', 'team: search and more'],
    ])('look at an alias, a provider or a tag: %s %s', async (scope, scope_value) => {
      expect(await save({ scope, scope_value })).toMatchObject({ scope, scope_value });
    });

    it('are changed field by field, with history, ETag and version; what is the same changes nothing', async () => {
      const { id } = await save({ channels: ['ops'], threshold: 30 });
      const put = (body: Fields, ifMatch?: string): ReturnType<TestHub['request']> => {
        const request = hub.request('put', `${RULES}/${id}`);
        return (ifMatch === undefined ? request : request.set('if-match', ifMatch)).send(body);
      };
      const changed = await put({ ...EVERY_FIELD, name: `renamed-${number}` }, '"1"').expect(200);
      expect(changed.body).toMatchObject({ ...EVERY_FIELD, name: `renamed-${number}`, version: 2 });
      expect(changed.headers['etag']).toBe('"2"');
      await put({ threshold: 1 }, '"1"').expect(412, /precondition_failed/);
      const revision = await revisionOf(hub);
      expect((await put({ ...EVERY_FIELD, channels: ['ops', 'mail'] }).expect(200)).body).toEqual(changed.body);
      expect(await revisionOf(hub)).toBe(revision);
      const cleared = await put({ threshold: null, scope: 'all', scope_value: null, channels: [] }).expect(200);
      expect(cleared.body).toMatchObject({
        threshold: null,
        scope: 'all',
        scope_value: null,
        channels: [],
        version: 3,
      });
      // What holds between the fields holds for those that were not sent, too.
      expect(fieldsOf(await put({ scope: 'alias' }).expect(400))).toEqual(['scope_value']);
      expect(fieldsOf(await put({ kind: 'spend' }).expect(400))).toEqual(['kind']);
      await put({ name: 'error-rate' }).expect(409, /alert_rule_name_taken/);
      const { entries } = await historyOf(id);
      expect(entries.map(({ action, version }) => [action, version])).toEqual([
        ['update', 3],
        ['update', 2],
        ['create', 1],
      ]);
      expect(entries[0]?.changes).toEqual([
        { field: 'channels', from: ['mail', 'ops'], to: [] },
        { field: 'scope', from: 'tag', to: 'all' },
        { field: 'scope_value', from: 'team:search', to: null },
        { field: 'threshold', from: 12.5, to: null },
      ]);
      expect(String(entries[0]?.revision)).toBe(await revisionOf(hub));
    });

    it('are deleted, and their history stays', async () => {
      const { id } = await save();
      await hub.request('delete', `${RULES}/${id}`).set('if-match', '"9"').expect(412);
      await hub.request('delete', `${RULES}/${id}`).expect(204);
      for (const method of ['get', 'put', 'delete'] as const)
        await hub.request(method, `${RULES}/${id}`).expect(404, /alert_rule_not_found/);
      expect((await historyOf(id)).entries.map(({ action }) => action)).toEqual(['delete', 'create']);
      await hub.request('get', `${RULES}/${randomUUID()}/history`).expect(404, /alert_rule_not_found/);
    });

    it('are created once, however often the request is repeated', async () => {
      const body = aRule();
      const send = (): ReturnType<TestHub['request']> =>
        hub.request('post', RULES).set('idempotency-key', String(body['name'])).send(body);
      const first = await send().expect(201);
      expect((await send().expect(201)).body).toEqual(first.body);
      await hub
        .request('post', RULES)
        .send(body)
        .expect(409, /alert_rule_name_taken/);
    });

    it('are listed by pages and filters', async () => {
      await save({ name: 'listed-b', kind: 'spend', severity: 'info', is_enabled: false, description: 'The 100% one' });
      await save({ name: 'listed-a', kind: 'spend', severity: 'critical' });
      expect(await namesOf({ q: 'listed-' })).toEqual(['listed-a', 'listed-b']);
      expect(await namesOf({ q: '100%' })).toEqual(['listed-b']);
      expect(await namesOf({ q: 'listed', severity: 'info' })).toEqual(['listed-b']);
      expect(await namesOf({ q: 'listed', is_enabled: true })).toEqual(['listed-a']);
      expect(await namesOf({ q: 'listed', kind: 'no_calls' })).toEqual([]);
      expect(await listRules({ q: 'listed', skip: 1, limit: 1 })).toMatchObject({
        rules: [{ name: 'listed-b' }],
        total: 2,
        skip: 1,
        limit: 1,
      });
      await hub.request('get', RULES).query({ kind: 'nothing' }).expect(400);
    });

    it('keep a channel that is gone, and take no other that is not there', async () => {
      await hub.database.query("INSERT INTO alert_channels (id, name, kind) VALUES ($1, 'passing', 'webhook')", [
        randomUUID(),
      ]);
      const { id } = await save({ channels: ['passing'] });
      await hub.database.query("DELETE FROM alert_channels WHERE name = 'passing'");
      const put = (body: Fields): ReturnType<TestHub['request']> => hub.request('put', `${RULES}/${id}`).send(body);
      await put({ threshold: 5, channels: ['ops', 'passing'] }).expect(200);
      await put({ channels: ['ops'] }).expect(200);
      const refused = await put({ channels: ['ops', 'passing'] }).expect(400, /there is no passing/);
      expect(fieldsOf(refused)).toEqual(['channels']);
    });
  });

  describe('alerts', () => {
    const OTHER_RULE = randomUUID();
    const insert = async (fields: Fields): Promise<string> => {
      const row: Fields = {
        id: randomUUID(),
        rule_id: OTHER_RULE,
        rule_name: 'error-rate',
        kind: 'error_rate',
        severity: 'critical',
        state: 'firing',
        since: '2026-03-01T10:00:00Z',
        last_bad_at: '2026-03-01T10:05:00Z',
        ...fields,
      };
      const columns = Object.keys(row);
      await hub.database.query(
        `INSERT INTO alerts (${columns.join(', ')}) VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
        Object.values(row),
      );
      return String(row['id']);
    };
    const listAlerts = async (query: Fields = {}): Promise<Fields[]> =>
      ((await hub.request('get', ALERTS).query(query).expect(200)).body as { alerts: Fields[] }).alerts;
    const subjectsOf = async (query: Fields): Promise<unknown[]> =>
      (await listAlerts(query)).map(({ subject }) => subject);
    const readAlert = async (id: string): Promise<Fields> =>
      (await hub.request('get', `${ALERTS}/${id}`).expect(200)).body as Fields;
    let fast: string;

    beforeAll(async () => {
      // The minutes are evaluated already: what is written here is left alone, though no rule has found it.
      await hub.database.query("UPDATE alert_evaluation SET evaluated_to = now() + interval '9 minutes'");
      fast = await insert({ subject: 'fast', value: 41.5, threshold: 20, calls: 53, fired_at: '2026-03-01T10:02:00Z' });
      await insert({
        subject: 'over',
        state: 'resolved',
        since: '2026-03-01T12:00:00Z',
        resolved_at: '2026-03-01T12:30:00Z',
        resolved_reason: 'recovered',
        notified_at: '2026-03-01T12:02:00Z',
      });
      await insert({ subject: 'slow', state: 'pending', since: '2026-03-01T11:00:00Z' });
      await insert({
        subject: 'hub',
        rule_id: randomUUID(),
        rule_name: 'storage-degraded',
        kind: 'storage_degraded',
        severity: 'warning',
        since: '2026-02-28T00:00:00Z',
      });
    });

    it('are listed with what is known of them: open ones first, then the newest', async () => {
      expect(await subjectsOf({})).toEqual(['slow', 'fast', 'hub', 'over']);
      expect(await readAlert(fast)).toEqual({
        id: fast,
        rule_id: OTHER_RULE,
        rule: 'error-rate',
        kind: 'error_rate',
        severity: 'critical',
        subject: 'fast',
        state: 'firing',
        value: 41.5,
        threshold: 20,
        unit: 'percent',
        calls: 53,
        since: '2026-03-01T10:00:00.000Z',
        fired_at: '2026-03-01T10:02:00.000Z',
        resolved_at: null,
        reason: null,
        notified_at: null,
        acknowledged_at: null,
        acknowledged_by: null,
        acknowledged_by_name: null,
        is_silenced: false,
      });
      expect((await listAlerts({ subject: 'over' }))[0]).toMatchObject({
        reason: 'recovered',
        resolved_at: '2026-03-01T12:30:00.000Z',
        notified_at: '2026-03-01T12:02:00.000Z',
      });
    });

    it.each([
      [{ state: 'firing' }, ['fast', 'hub']],
      [{ rule: 'storage-degraded' }, ['hub']],
      [{ kind: 'error_rate', severity: 'critical' }, ['slow', 'fast', 'over']],
      [{ severity: 'warning' }, ['hub']],
      [{ subject: 'fast' }, ['fast']],
      [{ from: '2026-03-01T10:00:00Z', to: '2026-03-01T12:00:00Z' }, ['slow', 'fast']],
      [{ from: '2026-03-01T20:00:00+08:00' }, ['over']],
      [{ skip: 1, limit: 2 }, ['fast', 'hub']],
    ])('are filtered: %j', async (query, subjects) => {
      expect(await subjectsOf(query)).toEqual(subjects);
    });

    it('of other states, kinds and times than there are, are a mistake', async () => {
      for (const query of [{ state: 'open' }, { kind: 'x' }, { from: 'yesterday' }, { limit: 1001 }])
        await hub
          .request('get', ALERTS)
          .query(query)
          .expect(400, /validation_failed/);
      await hub.request('get', `${ALERTS}/${randomUUID()}`).expect(404, /alert_not_found/);
      await hub.request('get', `${ALERTS}/nothing`).expect(400);
    });

    it('are acknowledged by whoever was first, and that can be taken back', async () => {
      const token = await hub.createToken('alerts:read', 'alerts:write');
      const path = `${ALERTS}/${fast}/acknowledge`;
      const first = (await hub.request('post', path, token).expect(200)).body as Fields;
      expect(first).toMatchObject({ acknowledged_by: expect.any(String), acknowledged_by_name: 'test' });
      expect(Math.abs(Date.parse(String(first['acknowledged_at'])) - Date.now())).toBeLessThan(60_000);
      expect((await hub.request('post', path).expect(200)).body).toEqual(first);
      expect(await readAlert(fast)).toEqual(first);
      for (let time = 0; time < 2; time += 1) await hub.request('delete', path, token).expect(204);
      expect(await readAlert(fast)).toMatchObject({ acknowledged_at: null, acknowledged_by: null });
      for (const method of ['post', 'delete'] as const)
        await hub.request(method, `${ALERTS}/${randomUUID()}/acknowledge`).expect(404, /alert_not_found/);
    });

    it('say whether a silence covers them now', async () => {
      const silence = async (body: Fields): Promise<string> =>
        (
          (
            await hub
              .request('post', SILENCES)
              .send({ ends_at: inMinutes(60), comment: 'c', ...body })
              .expect(201)
          ).body as { id: string }
        ).id;
      const silenced = async (): Promise<unknown[]> =>
        (await listAlerts()).filter((alert) => alert['is_silenced']).map(({ subject }) => subject);
      const ids = [
        await silence({ rule: 'error-rate', subject: 'f*' }),
        await silence({ rule: 'error-rate', subject: 'over' }),
        await silence({ rule: 'slow-answers' }),
        await silence({ starts_at: inMinutes(10) }),
      ];
      expect(await silenced()).toEqual(['fast']);
      ids.push(await silence({}));
      expect(await silenced()).toEqual(['slow', 'fast', 'hub']);
      for (const id of ids) await hub.request('delete', `${SILENCES}/${id}`).expect(204);
      expect(await silenced()).toEqual([]);
    });
  });

  describe('silences', () => {
    const listSilences = async (query: Fields = {}): Promise<Fields[]> =>
      ((await hub.request('get', SILENCES).query(query).expect(200)).body as { silences: Fields[] }).silences;

    it('begin now or later, say who asked for them and why, and stay in the list when they are ended', async () => {
      const token = await hub.createToken('alerts:read', 'alerts:write');
      const endsAt = inMinutes(60 * 24 * 365);
      const body = { rule: 'error-rate', subject: 'fast', ends_at: endsAt, comment: 'a new key is on its way' };
      const send = (): ReturnType<TestHub['request']> =>
        hub.request('post', SILENCES, token).set('idempotency-key', 'silence-1').send(body);
      const created = (await send().expect(201)).body as Fields;
      expect((await send().expect(201)).body).toEqual(created);
      expect(created).toEqual({
        ...body,
        id: expect.any(String),
        state: 'active',
        starts_at: expect.any(String),
        created_by: expect.any(String),
        created_by_name: 'test',
        created_at: expect.any(String),
      });
      const later = { starts_at: inMinutes(30), ends_at: inMinutes(90), comment: 'maintenance' };
      const scheduled = (await hub.request('post', SILENCES).send(later).expect(201)).body as Fields;
      expect(scheduled).toMatchObject({ ...later, rule: null, subject: null, state: 'scheduled' });
      expect(await listSilences({ state: 'active' })).toEqual([created]);
      expect(await listSilences({ state: 'scheduled' })).toEqual([scheduled]);
      for (const { id } of [created, scheduled]) {
        for (let time = 0; time < 2; time += 1) await hub.request('delete', `${SILENCES}/${String(id)}`).expect(204);
      }
      const ended = (await listSilences({ state: 'ended' })).filter(({ id }) =>
        [created, scheduled].some((one) => one['id'] === id),
      );
      expect(ended.map(({ comment }) => comment)).toEqual(['maintenance', 'a new key is on its way']);
      for (const { ends_at: end } of ended) expect(Date.parse(String(end))).toBeLessThanOrEqual(Date.now());
      const history = await hub
        .request('get', '/api/v1/history')
        .query({ kind: 'alert_silence', subject_id: created['id'] });
      const { entries } = history.body as HistoryList;
      expect(
        entries.map(({ action, subject_name: name, changes }) => [action, name, changes.map(({ field }) => field)]),
      ).toEqual([
        ['update', 'error-rate', ['ends_at']],
        ['create', 'error-rate', ['comment', 'ends_at', 'rule', 'starts_at', 'subject']],
      ]);
      await hub.request('delete', `${SILENCES}/${randomUUID()}`).expect(404, /alert_silence_not_found/);
    });

    it.each([
      [{ ends_at: undefined }, 'ends_at'],
      [{ ends_at: 'tomorrow' }, 'ends_at'],
      [{ ends_at: inMinutes(-1) }, 'ends_at'],
      [{ ends_at: inMinutes(60 * 24 * 367) }, 'ends_at'],
      [{ starts_at: inMinutes(120) }, 'ends_at'],
      [{ starts_at: inMinutes(60 * 24 * 367), ends_at: inMinutes(60 * 24 * 368) }, 'starts_at'],
      [{ comment: undefined }, 'comment'],
      [{ comment: '' }, 'comment'],
      [{ rule: 'no-such-rule' }, 'rule'],
      [{ rule: 'Not A Name' }, 'rule'],
      [{ subject: 'a*b' }, 'subject'],
      [{ subject: '' }, 'subject'],
    ])('are refused with the field that is wrong: %j', async (fields, field) => {
      const body = { ends_at: inMinutes(60), comment: 'c', ...fields };
      const answer = await hub.request('post', SILENCES).send(body).expect(400);
      expect(fieldsOf(answer)).toEqual([field]);
    });
  });

  describe('rules in a document', () => {
    let target: TestHub;

    beforeAll(async () => {
      target = await startHub();
    });
    afterAll(() => target.close());

    const rulesOf = async (of: TestHub): Promise<Fields[]> =>
      (await exportDocument(of, { sections: 'alert_rules' })).alert_rules ?? [];

    it('are every field of every rule, by name, and the same bytes wherever they come to', async () => {
      await save({ name: 'every-field', ...EVERY_FIELD });
      const text = await exportText(hub, 'yaml', { sections: 'alert_rules' });
      const rules = await rulesOf(hub);
      const names = rules.map(({ name }) => String(name));
      expect(names).toEqual([...names].sort());
      expect(names).toEqual(expect.arrayContaining(FIRST_RULES));
      expect(rules.find(({ name }) => name === 'every-field')).toEqual({
        name: 'every-field',
        kind: 'error_rate',
        ...EVERY_FIELD,
      });
      expect(text).toMatch(
        /^version: 1\nkind: ai-model-hub\nalert_rules:\n- name: bad-credential\n {2}kind: bad_credential\n/,
      );
      const plan = await planOf(target, text, { prune: true });
      const done = await applied(target, text, { prune: true, plan: plan.plan_digest });
      expect(done.items).toEqual(plan.items);
      expect(done.summary).toMatchObject({ create: names.length - FIRST_RULES.length, delete: 0 });
      expect(await exportText(target, 'yaml', { sections: 'alert_rules' })).toBe(text);
      expect(actionsOf(await applied(target, text)).every((action) => action.startsWith('unchanged'))).toBe(true);
    });

    it('keep the names of channels that are not there, and the plan says so', async () => {
      const document = aDocument({ alert_rules: [aRule({ name: 'elsewhere', channels: ['pager', 'chat'] })] });
      const plan = await applied(target, document);
      expect(plan.items[0]).toMatchObject({ kind: 'alert_rule', name: 'elsewhere', action: 'create' });
      expect(plan.items[0]?.notes.map((note) => /channel (\S+)/.exec(note)?.[1])).toEqual(['chat', 'pager']);
      expect((await rulesOf(target)).find(({ name }) => name === 'elsewhere')?.['channels']).toEqual(['chat', 'pager']);
      const again = await planOf(target, document);
      expect([again.items[0]?.action, again.items[0]?.notes]).toEqual(['unchanged', plan.items[0]?.notes]);
    });

    it('change what they name, and delete the others only when they are told to', async () => {
      await applied(target, aDocument({ alert_rules: [] }), { prune: true });
      expect(await rulesOf(target)).toEqual([]);
      await applied(target, aDocument({ alert_rules: [aRule({ name: 'a', threshold: 5 }), aRule({ name: 'b' })] }));
      const change = aDocument({ alert_rules: [{ name: 'a', threshold: null, min_calls: 3 }] });
      const plan = await planOf(target, change);
      expect(plan.items).toMatchObject([
        {
          action: 'change',
          name: 'a',
          changes: [
            { field: 'min_calls', from: null, to: 3 },
            { field: 'threshold', from: 5, to: null },
          ],
        },
      ]);
      expect(actionsOf(await planOf(target, aDocument({ models: [] }), { prune: true }))).toEqual([]);
      expect(actionsOf(await applied(target, change, { prune: true }))).toEqual([
        'change alert_rule a',
        'delete alert_rule b',
      ]);
      const { body } = await target
        .request('get', '/api/v1/history')
        .query({ kind: 'alert_rule', limit: 2 })
        .expect(200);
      expect((body as HistoryList).entries.map(({ action, subject_name: name }) => `${action} ${name}`).sort()).toEqual(
        ['delete b', 'update a'],
      );
    });

    it('are all refused when one of them is wrong, each with its place', async () => {
      await applied(target, aDocument({ alert_rules: [aRule({ name: 'kept' })] }));
      const before = await exportText(target);
      const document = aDocument({
        alert_rules: [
          aRule({ name: 'good' }),
          { name: 'kept', kind: 'spend' },
          { name: 'kept', kind: 'error_rate' },
          { name: 'no-kind' },
          { name: 'Bad Name', kind: 'spend', threshold: 'x' },
        ],
      });
      const answer = await sendImport(target, document).expect(400);
      expect(fieldsOf(answer).sort()).toEqual([
        'alert_rules[1].kind',
        'alert_rules[2].name',
        'alert_rules[3].kind',
        'alert_rules[4].name',
        'alert_rules[4].threshold',
      ]);
      // What only the rules between fields can refuse: after others were written.
      const late = [
        aRule({ name: 'good' }),
        { name: 'kept', scope: 'alias' },
        aRule({ kind: 'bad_credential', threshold: 1 }),
      ];
      const refused = await sendImport(target, aDocument({ alert_rules: late })).expect(400);
      expect(fieldsOf(refused).sort()).toEqual(['alert_rules[1].scope_value', 'alert_rules[2].threshold']);
      await sendImport(target, { ...aDocument({}), alert_rules: [7] }).expect(
        400,
        /alert_rules\[0\] must be an object/,
      );
      expect(await exportText(target)).toBe(before);
    });

    it('need scopes of their own', async () => {
      const [reader, writer, other] = [
        await target.createToken('alerts:read'),
        await target.createToken('alerts:write'),
        await target.createToken('models:read', 'models:write'),
      ];
      const document = aDocument({ alert_rules: [{ name: 'kept', severity: 'info' }] });
      await sendImport(target, document, {}, other).expect(403, /alerts:write/);
      await sendImport(target, document, {}, writer).expect(200);
      const sectionsWith = async (token: string): Promise<string[]> =>
        Object.keys((await target.request('get', EXPORT, token).query({ format: 'json' }).expect(200)).body as object);
      expect(await sectionsWith(reader)).toEqual(['version', 'kind', 'alert_rules']);
      expect(await sectionsWith(other)).toEqual(['version', 'kind', 'models']);
      await target
        .request('get', EXPORT, other)
        .query({ sections: 'alert_rules' })
        .expect(403, /alerts:read/);
    });

    it('and silences have an end', async () => {
      await applied(target, aDocument({ alert_rules: [] }), { prune: true });
      await target.database.query(
        `INSERT INTO alert_rules (name, kind) SELECT 'filler-' || n, 'error_rate' FROM generate_series(2, ${MAX_ALERT_RULES}) AS n`,
      );
      const statuses = await Promise.all(
        ['one', 'two', 'three'].map(async (name) => (await target.request('post', RULES).send(aRule({ name }))).status),
      );
      expect(statuses.toSorted((one, other) => one - other)).toEqual([201, 409, 409]);
      await target
        .request('post', RULES)
        .send(aRule())
        .expect(409, /too_many_alert_rules/);
      await target.database.query(
        `INSERT INTO alert_silences (starts_at, ends_at, comment, created_by)
         SELECT now(), now() + interval '1 hour', 'c', 'x' FROM generate_series(1, ${MAX_OPEN_SILENCES})`,
      );
      const silence = { ends_at: inMinutes(5), comment: 'c' };
      await target
        .request('post', SILENCES)
        .send(silence)
        .expect(409, /too_many_alert_silences/);
      // An import of other rules makes room for itself.
      const document = aDocument({ alert_rules: [aRule(), aRule()] });
      await sendImport(target, document).expect(409, /too_many_alert_rules/);
      const { summary } = await applied(target, document, { prune: true });
      expect(summary).toEqual({ create: 2, change: 0, delete: MAX_ALERT_RULES, unchanged: 0 });
    });
  });
});
