import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { aChat, call, saveModel } from './support/calls.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { removeDataDirectory } from './support/embedded-database.js';
import { startHub, type TestHub } from './support/hub.js';
import { hasPromtool } from './support/metrics.js';
import { freePort } from './support/sockets.js';

const RULES = 'docs/monitoring/prometheus-rules.yaml';
const RULES_TEST = 'test/fixtures/prometheus-rules.test.yaml';
const DASHBOARD = 'docs/monitoring/grafana-dashboard.json';
const GUIDE = readFileSync('docs/monitoring/README.md', 'utf8');
/** Prometheus makes it itself. */
const NOT_OURS = new Set(['up']);
const METRIC = /\b(?:hub|gen_ai|process|nodejs)_[a-z0-9_]+\b/g;

interface Rules {
  groups: { rules: { alert: string; expr: string }[] }[];
}
interface Dashboard {
  /** A row has no targets. */
  panels: { title: string; targets?: { expr: string }[] }[];
}

const rules = (parse(readFileSync(RULES, 'utf8')) as Rules).groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard;
const queries = [
  ...rules.map(({ expr }) => expr),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
];
const metricsIn = (text: string): string[] => [...new Set(text.match(METRIC))].filter((name) => !NOT_OURS.has(name));

describe('what is there for Prometheus and Grafana', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  let page: string;
  beforeAll(async () => {
    // With all that there can be: the embedded database, and a Redis, which need not be there to be told of.
    hub = await startHub({ env: { DATABASE_URL: undefined, REDIS_URL: `redis://127.0.0.1:${await freePort()}` } });
    provider = await startFakeProvider();
    const { alias } = await saveModel(hub, { api_base: provider.url });
    for (const asked of [alias, 'nobody']) await call(hub, aChat(asked));
    page = (await hub.request('get', '/metrics').expect(200)).text;
  });
  afterAll(async () => {
    await hub.stop();
    removeDataDirectory(hub.dataDir);
    await hub.database.drop();
    await provider.close();
  });
  const isTold = (name: string): boolean => new RegExp(`^${name}[ {]`, 'm').test(page);

  it('asks only for metrics that a running hub tells', () => {
    const asked = queries.flatMap(metricsIn);
    expect(new Set(asked).size).toBeGreaterThan(10);
    expect(asked.filter((name) => !isTold(name))).toEqual([]);
  });

  it('describes every metric of ours, and none that is not there', () => {
    const described = metricsIn(GUIDE).filter((name) => /^(?:hub|gen_ai)_/.test(name));
    const told = [...page.matchAll(/^# TYPE ((?:hub|gen_ai)_\S+) /gm)].map(([, name]) => name);
    expect(new Set(described)).toEqual(new Set(told));
  });

  it('says of every alert what to do', () => {
    expect(rules.filter(({ alert }) => !GUIDE.includes(alert)).map(({ alert }) => alert)).toEqual([]);
  });

  (hasPromtool ? it : it.skip)('passes promtool check rules', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
    expect({ status, text: stdout + stderr }).toMatchObject({ status: 0 });
  });

  (hasPromtool ? it : it.skip)('fires the rules of the hub itself when they should, and not before', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', RULES_TEST], { encoding: 'utf8' });
    expect({ status, text: stdout + stderr }).toMatchObject({ status: 0 });
  });
});
