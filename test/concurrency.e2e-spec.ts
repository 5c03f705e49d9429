import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { ChangeService } from '../src/storage/database/change.service.js';
import { aModelConfig } from './factories/model-config.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

type Body = Record<string, unknown>;

const ROUNDS = 20;
const WRITERS = 64;
const CREATORS = 50;
const TOKENS = '/api/v1/tokens';
const pathOf = (config: Body): string => `${CONFIGS}/${String(config['id'])}`;

const countByStatus = (answers: Response[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

const all = <Result>(count: number, work: (index: number) => PromiseLike<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

describe('writers at the same time', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(() => hub.close());

  const create = async (fields: Body = {}): Promise<Body> =>
    (await hub.request('post', CONFIGS).send(aModelConfig(fields)).expect(201)).body as Body;
  const read = async (config: Body): Promise<Body> =>
    (await hub.request('get', pathOf(config)).expect(200)).body as Body;
  const revision = async (): Promise<number> => {
    const [row] = await hub.database.query<{ revision: string }>('SELECT revision FROM hub_revision');
    return Number(row?.revision);
  };

  it(`${WRITERS} PUTs with the same If-Match: one wins, and its value is what is stored; ${ROUNDS} rounds`, async () => {
    const config = await create();
    for (let round = 1; round <= ROUNDS; round += 1) {
      const answers = await all(WRITERS, (writer) =>
        hub
          .request('put', pathOf(config))
          .set('if-match', `"${round}"`)
          .send({ display_name: `round ${round}, writer ${writer}` }),
      );
      expect(countByStatus(answers)).toEqual({ 200: 1, 412: WRITERS - 1 });
      const winner = answers.findIndex((answer) => answer.status === 200);
      expect(answers[winner]?.headers['etag']).toBe(`"${round + 1}"`);
      for (const loser of answers.filter((answer) => answer.status === 412)) {
        expect(loser.headers['etag']).toBe(`"${round + 1}"`);
      }
      expect(await read(config)).toMatchObject({
        version: round + 1,
        display_name: `round ${round}, writer ${winner}`,
      });
    }
  });

  it(`${CREATORS} creates of one alias: one 201, the others 409, one row`, async () => {
    const answers = await all(CREATORS, (creator) =>
      hub.request('post', CONFIGS).send(aModelConfig({ alias: 'wanted-by-all', description: `creator ${creator}` })),
    );
    expect(countByStatus(answers)).toEqual({ 201: 1, 409: CREATORS - 1 });
    const codes = answers.filter(({ status }) => status === 409).map(({ body }) => (body as Body)['code']);
    expect(new Set(codes)).toEqual(new Set(['alias_taken']));
    const winner = answers.find(({ status }) => status === 201)?.body as Body;
    const rows = await hub.database.query('SELECT id, description FROM ai_model_configs WHERE alias = $1', [
      'wanted-by-all',
    ]);
    expect(rows).toEqual([{ id: winner['id'], description: winner['description'] }]);
  });

  it('renames of many configs to one alias: one 200, the others 409', async () => {
    const configs = await all(20, () => create());
    const answers = await Promise.all(
      configs.map((config) => hub.request('put', pathOf(config)).send({ alias: 'renamed-by-all' })),
    );
    expect(countByStatus(answers)).toEqual({ 200: 1, 409: 19 });
  });

  it('PUTs without If-Match on different fields lose nothing', async () => {
    const config = await create();
    const changes: Body = {
      display_name: 'shown',
      description: 'text',
      max_tokens: 17,
      context_window: 18,
      default_temperature: 0.5,
      supports_images: true,
      supports_files: true,
      supported_file_types: ['image/*'],
      custom_parameters: { seed: 1 },
      priority: 19,
      fallback_aliases: ['other'],
      tags: { a: 'b' },
      request_timeout: 20,
      max_retries: 1,
      input_price_per_million: 0.25,
      api_key: 'a-key-from-one-writer',
      auth_headers: { 'X-From': 'another-writer' },
    };
    const answers = await Promise.all(
      Object.entries(changes).map(([field, value]) => hub.request('put', pathOf(config)).send({ [field]: value })),
    );
    expect(countByStatus(answers)).toEqual({ 200: Object.keys(changes).length });
    const { api_key: _key, auth_headers: _headers, ...shown } = changes;
    expect(await read(config)).toMatchObject({
      ...shown,
      api_key_hint: 'iter',
      auth_header_names: ['X-From'],
      version: 1 + Object.keys(changes).length,
    });
    const versions = answers.map(({ body }) => (body as Body)['version'] as number).sort((a, b) => a - b);
    expect(versions).toEqual(versions.map((_, index) => index + 2));
  });

  it('a DELETE and PUTs at once: each PUT is either done before it or 404', async () => {
    const config = await create();
    const [removed, ...answers] = await all(21, (index) =>
      index === 0
        ? hub.request('delete', pathOf(config))
        : hub.request('put', pathOf(config)).send({ priority: index }),
    );
    expect(removed?.status).toBe(204);
    expect(answers.every(({ status }) => status === 200 || status === 404)).toBe(true);
    await hub.request('get', pathOf(config)).expect(404);
  });

  it('the revision goes up with every change, and with nothing else', async () => {
    const config = await create();
    const steps: [string, boolean, () => PromiseLike<unknown>][] = [
      ['create', true, () => create()],
      ['change', true, () => hub.request('put', pathOf(config)).send({ priority: 1 }).expect(200)],
      ['change of nothing', false, () => hub.request('put', pathOf(config)).send({ priority: 1 }).expect(200)],
      ['refused change', false, () => hub.request('put', pathOf(config)).send({ priority: 'x' }).expect(400)],
      ['stale change', false, () => hub.request('put', pathOf(config)).set('if-match', '"1"').send({}).expect(412)],
      [
        'taken alias',
        false,
        () =>
          hub
            .request('post', CONFIGS)
            .send(aModelConfig({ alias: config['alias'] }))
            .expect(409),
      ],
      ['read', false, () => read(config)],
      ['new token', true, () => hub.createToken('invoke')],
      ['removal', true, () => hub.request('delete', pathOf(config)).expect(204)],
      ['removal of nothing', false, () => hub.request('delete', pathOf(config)).expect(404)],
      ['unknown token', false, () => hub.request('delete', `${TOKENS}/${String(config['id'])}`).expect(404)],
    ];
    for (const [name, counts, step] of steps) {
      const before = await revision();
      await step();
      const after = await revision();
      expect({ name, moved: after > before, back: after < before }).toEqual({ name, moved: counts, back: false });
    }
  });

  it('no two changes share a revision, however many commit at once', async () => {
    const told: number[] = [];
    const stop = hub.application.nest.get(ChangeService, { strict: false }).onRevision((next) => told.push(next));
    const before = await revision();
    await all(40, () => create());
    stop();
    const rows = await hub.database.query<{ revision: string }>(
      `SELECT revision FROM change_history WHERE revision > ${before}`,
    );
    const seen = rows.map((row) => Number(row.revision));
    expect(seen).toHaveLength(40);
    expect(new Set(seen).size).toBe(40);
    expect(Math.min(...seen)).toBeGreaterThan(before);
    expect(await revision()).toBe(Math.max(...seen));
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(Math.max(...seen));
  });
});
