import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { aWebhook } from './factories/alert-channel.js';
import { aModelConfig } from './factories/model-config.js';
import { CHANNELS } from './support/alerts.js';
import { saveBudget } from './support/budgets.js';
import { isLong, sized } from './support/chaos.js';
import { saveNamedPrompts } from './support/config-fields.js';
import { keepInCorpus } from './support/corpus.js';
import { shapeProblem } from './support/error-answer.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { aFuzzedRequest, FUZZ_TEMPLATE, type FuzzWorld } from './support/fuzz-requests.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { savePrompt } from './support/prompts.js';
import { rawRequest, type RawAnswer, type RawRequest } from './support/raw-request.js';
import { nameOf, routesOf, type Route } from './support/routes.js';

const BATCH = 4000;
const REQUESTS = sized(BATCH, 10_000, 200_000);
const AT_ONCE = 8;
const LIMIT_MILLISECONDS = 2000;
/** A key is derived from a passphrase: slowly on purpose, and one at a time. */
const SLOW = /^POST \/api\/v1\/ai-models\/export/;
const SLOW_LIMIT_MILLISECONDS = 8000;
const VICTIMS = 10;
/** More than there are routes. */
const SEEDS_PER_BATCH = 1000;
const MAX_KEPT = 20;
/** Most of what can go wrong is in a body. */
const SHARE_WITH_BODY = 4;
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Lets nobody in who has no token. */
const SIGN_IN = 'POST /console/session';
/** Takes no body, and adds no key here: this ring is of the environment. It has tests of its own. */
const ADD_KEY = 'POST /api/v1/encryption-keys';
const takesBody = ({ method }: Route): boolean => method === 'POST' || method === 'PUT';

interface Failure {
  request: string;
  problem: string;
  raw: RawRequest;
}

const describeRequest = ({ method, path, headers, body }: RawRequest): string =>
  `${method} ${path.slice(0, 300)} ${JSON.stringify(headers)} ${String(body ?? '').slice(0, 400)}`;

const isSlow = ({ method, path }: RawRequest, { milliseconds }: RawAnswer): boolean =>
  milliseconds > (SLOW.test(`${method} ${path}`) ? SLOW_LIMIT_MILLISECONDS : LIMIT_MILLISECONDS);

/** The process could not ask itself in time, and says so. */
const asksForPatience = ({ status, headers }: RawAnswer): boolean =>
  status === 503 && headers['retry-after'] !== undefined;

/** Says what is wrong with an answer, or null. */
const problemOf = (request: RawRequest, answer: RawAnswer): string | null => {
  const { method, path } = request;
  if (answer.status >= 500) return `status ${answer.status}: ${answer.text.slice(0, 300)}`;
  if (!answer.headers['x-request-id']) return `has no x-request-id: ${answer.status} ${answer.text.slice(0, 300)}`;
  if (answer.status < 400 || method === 'HEAD') return null;
  // Bytes that no address may have stop Node's parser: no path is known then, and so no OpenAI path either.
  return shapeProblem(/^[\x21-\x7e]*$/.test(path) ? path : '/', answer);
};

/** `work` on each item, so many at a time. */
const inParallel = async <Item>(items: Item[], work: (item: Item) => Promise<void>): Promise<void> => {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
};

describe(`${REQUESTS} generated requests (FUZZ_SEED=${SEED})`, () => {
  let hub: TestHub;
  let provider: FakeProvider;
  let world: FuzzWorld;
  let routes: Route[];
  const statuses = new Map<string, Set<number>>();

  const create = async (fields: Record<string, unknown>): Promise<string> =>
    ((await hub.request('post', CONFIGS).send(aModelConfig(fields)).expect(201)).body as { id: string }).id;

  const idsOf = async (sql: string): Promise<string[]> =>
    (await hub.database.query<{ id: string }>(sql)).map(({ id }) => id);
  const rulesToChange = (): Promise<string[]> =>
    idsOf(`INSERT INTO alert_rules (name, kind) SELECT 'victim-' || number, 'error_rate'
      FROM generate_series(1, ${VICTIMS}) AS number RETURNING id`);
  const openAlerts = (): Promise<string[]> =>
    idsOf(`INSERT INTO alerts (rule_id, rule_name, kind, severity, subject, state, since, last_bad_at)
      SELECT gen_random_uuid(), 'error-rate', 'error_rate', 'critical', 'fuzz-target', 'firing', now(), now()
      FROM generate_series(1, ${VICTIMS}) RETURNING id`);

  const givenUpMessages = (channelId: string): Promise<string[]> =>
    idsOf(`INSERT INTO alert_notifications (id, channel_id, channel_name, channel_kind, order_key, notice, state, settled_at, give_up_at)
      SELECT gen_random_uuid(), '${channelId}', 'fuzzed', 'webhook', 'test:' || number,
        '{"event": "test", "at": "2026-01-01T00:00:00Z", "severity": "info", "language": null}', 'given_up', now(), now()
      FROM generate_series(1, ${VICTIMS}) AS number RETURNING id`);

  beforeAll(async () => {
    process.stdout.write(`fuzz: run again with FUZZ_SEED=${SEED}\n`);
    hub = await startHub({ env: isLong ? { LOG_LEVEL: 'warn' } : {} });
    provider = await startFakeProvider();
    const configIds: string[] = [];
    for (let index = 0; index < VICTIMS; index += 1) {
      configIds.push(await create({ alias: `victim-${index}`, api_base: provider.url }));
    }
    await create({ alias: 'fuzz-target', api_base: provider.url });
    await saveNamedPrompts(hub);
    const promptIds: string[] = [];
    for (let index = 0; index < VICTIMS; index += 1) {
      promptIds.push(String((await savePrompt(hub, { name: `victim-${index}`, labels: { production: 1 } }))['id']));
    }
    const promptName = 'fuzz-prompt';
    await savePrompt(hub, { name: promptName, labels: { production: 1 }, ...FUZZ_TEMPLATE });
    const [ruleIds, alertIds] = await Promise.all([rulesToChange(), openAlerts()]);
    const budgetIds = [String((await saveBudget(hub))['id'])];
    const channel = await hub
      .request('post', CHANNELS)
      .send(aWebhook({ url: provider.url }))
      .expect(201);
    const channelIds = [String(channel.body.id)];
    const notificationIds = await givenUpMessages(String(channel.body.id));
    const ids = { configIds, promptIds, ruleIds, alertIds, channelIds, notificationIds, budgetIds };
    world = { ...ids, promptName, alias: 'fuzz-target', apiBase: provider.url };
    routes = routesOf(hub).filter(({ method }) => method !== 'HEAD');
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const tokenFor = ({ path }: Route): string => (path.startsWith('/internal/') ? hub.serviceToken : hub.adminToken);

  /** `seed`: another batch has other requests. */
  const generate = (count: number, seed: number): { route: Route; request: RawRequest }[] => {
    const shares: number[] = routes.map((route) => (takesBody(route) ? SHARE_WITH_BODY : 1));
    const perShare = Math.ceil(count / shares.reduce((sum, share) => sum + share));
    const generated = routes.flatMap((route, index) => {
      const numRuns = perShare * (shares[index] ?? 1);
      const requests = fc.sample(aFuzzedRequest(route, world), { numRuns, seed: seed + index });
      const authorization = `Bearer ${tokenFor(route)}`;
      return requests.map((request, run) => ({
        route,
        request: { ...request, headers: { authorization, ...request.headers } },
        at: run / numRuns,
      }));
    });
    // All routes mixed, so that they get into each other's way.
    return generated.sort((a, b) => a.at - b.at);
  };

  const playBatch = async (requests: { route: Route; request: RawRequest }[]): Promise<Failure[]> => {
    const failures: Failure[] = [];
    const again: RawRequest[] = [];
    const fail = (request: RawRequest, problem: string): void =>
      void failures.push({ request: describeRequest(request), problem, raw: request });
    await inParallel(requests, async ({ route, request }) => {
      try {
        const answer = await rawRequest(hub.url, request);
        const seen = statuses.get(nameOf(route)) ?? new Set();
        statuses.set(nameOf(route), seen.add(answer.status));
        if (isSlow(request, answer) || asksForPatience(answer)) again.push(request);
        const problem = asksForPatience(answer) ? null : problemOf(request, answer);
        if (problem) fail(request, problem);
      } catch (error) {
        fail(request, String(error));
      }
    });
    // A busy machine makes anything slow once, and too late to wait for; what hangs does so again, on its own.
    for (const request of again) {
      const answer = await rawRequest(hub.url, request);
      const problem = problemOf(request, answer);
      if (problem) fail(request, problem);
      if (isSlow(request, answer)) fail(request, `took ${Math.round(answer.milliseconds)} ms, twice too long`);
    }
    return failures;
  };

  it('none is answered with 5xx, in another shape, or late', async () => {
    const failures: Failure[] = [];
    let played = 0;
    for (let batch = 0; played < REQUESTS; batch += 1) {
      const requests = generate(Math.min(BATCH, REQUESTS - played), SEED + batch * SEEDS_PER_BATCH);
      failures.push(...(await playBatch(requests)));
      played += requests.length;
    }
    // What failed once is played for ever, as soon as it is committed.
    if (failures.length > 0) keepInCorpus(`found-${SEED}`, failures.slice(0, MAX_KEPT));
    expect(played).toBeGreaterThanOrEqual(REQUESTS);
    const first = failures.slice(0, 10).map(({ request, problem }) => ({ request, problem }));
    expect({ count: failures.length, first }).toEqual({ count: 0, first: [] });
  });

  it('reached every route, and the handlers behind the guards', () => {
    expect([...statuses.keys()].sort()).toEqual(routes.map(nameOf).sort());
    const withBody = routes
      .filter(takesBody)
      .map(nameOf)
      .filter((name) => name !== ADD_KEY && name !== SIGN_IN);
    // Who knows no token is not let in, whatever he sends.
    expect([...(statuses.get(SIGN_IN) ?? [])]).toContain(400);
    expect([...(statuses.get(ADD_KEY) ?? [])]).toContain(409);
    for (const name of withBody) {
      // Refused for their content, and some of them taken.
      expect({ name, statuses: [...(statuses.get(name) ?? [])] }).toMatchObject({
        statuses: expect.arrayContaining([400, 415]),
      });
      expect({ name, ok: [...(statuses.get(name) ?? [])].some((status) => status < 300) }).toEqual({ name, ok: true });
    }
  });

  it('what is no HTTP at all is answered in shape, too', async () => {
    const broken: RawRequest[] = [
      { method: 'GET', path: '\\health' },
      { method: 'GET', path: `/health?${'x'.repeat(17_000)}` },
      { method: 'GET', path: '/health', headers: { 'x-long': 'x'.repeat(17_000) } },
      { method: 'GET', path: '/health', headers: { 'transfer-encoding': 'nonsense' } },
    ];
    const problems = await Promise.all(
      broken.map(async (request) => {
        const answer = await rawRequest(hub.url, request);
        return { status: answer.status, problem: shapeProblem('/', answer) };
      }),
    );
    expect(problems).toEqual([400, 431, 431, 400].map((status) => ({ status, problem: null })));
  });

  it('the application has nothing unexpected in its log, and works as before', async () => {
    const errors = hub
      .logs()
      .split('\n')
      .filter((line) => /"level":"(?:error|fatal)"|internal_error/.test(line));
    expect(errors).toEqual([]);
    await hub.request('get', '/health/ready').expect(200, /"status":"ready"/);
    const id = await create({ alias: 'after-the-storm', api_base: provider.url });
    await hub.request('put', `${CONFIGS}/${id}`).send({ priority: 3 }).expect(200);
    const call = { model: 'after-the-storm', messages: [{ role: 'user', content: 'hello' }] };
    await hub
      .request('post', '/v1/chat/completions')
      .send(call)
      .expect(200, /"content":"Hello"/);
    // Nothing leaked into every object of the process.
    expect(Object.keys(Object.getPrototypeOf({}) as object)).toEqual([]);
  });
});
