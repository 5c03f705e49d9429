import { describe, expect, it } from '@jest/globals';
import { hasPromtool, promtoolOf, seriesOf, valueOf } from '../../../test/support/metrics.js';
import { labelled, type MetricFamily, single } from './metric-family.js';
import { MAX_FAMILY_SERIES, MAX_SERIES, MetricsRegistry } from './metrics-registry.js';

const DROPPED = 'hub_metrics_dropped_series_total';

const familyOf = (name: string, values: Iterable<string>): MetricFamily =>
  labelled(name, 'Of a test.', 'counter', function* () {
    for (const alias of values) yield [{ alias }, 1];
  });
const numbered = (count: number): string[] => Array.from({ length: count }, (_value, index) => `alias-${index}`);
const ours = (page: string, name: string): string[] =>
  seriesOf(page).flatMap((series) => (series.name === name ? [series.labels['alias'] ?? ''] : []));

/** What somebody might put into a name so that a page says something else, or nothing any more. */
const HOSTILE = [
  'a"b',
  'a\\',
  '\\"',
  '\\n',
  'a\nhub_forged_total{alias="x"} 1',
  '"} 1\nhub_forged_total 1\n#',
  'x",error_class="ok',
  '# TYPE hub_forged_total counter',
  '{alias="x"}',
  '\u202Eevil\u202C',
  'שלום עולם',
  '漢字 🎛️',
  '\u0000\u0007\u001B[31m',
  '\u2028\u2029\u0085',
  'a\rb\r\nc',
  ' leading and trailing ',
  '__name__',
  'NaN',
  '1e400',
  '',
  'x'.repeat(100),
];

describe('a page of metrics', () => {
  it('says hostile names as they are, and nothing else by them', async () => {
    const registry = new MetricsRegistry();
    registry.add(
      familyOf('hub_first_total', HOSTILE),
      single('hub_second', 'Of a test.', 'gauge', () => 7),
    );
    const page = await registry.text();
    expect(ours(page, 'hub_first_total')).toEqual(HOSTILE);
    expect(valueOf(page, 'hub_second')).toBe(7);
    expect(page).not.toMatch(/^hub_forged_total/m);
    expect(page.match(/^# TYPE hub_/gm)).toHaveLength(3);
    expect(valueOf(page, DROPPED)).toBe(0);
  });

  (hasPromtool ? it : it.skip)('passes promtool check metrics with hostile names', async () => {
    const registry = new MetricsRegistry();
    registry.add(familyOf('hub_first_total', HOSTILE));
    expect(promtoolOf(await registry.text())).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('has so many series of a family and no more, and counts those it left out', async () => {
    const registry = new MetricsRegistry();
    registry.add(familyOf('hub_first_total', numbered(MAX_FAMILY_SERIES + 250)));
    for (const pages of [1, 2]) {
      const page = await registry.text();
      expect(ours(page, 'hub_first_total')).toEqual(numbered(MAX_FAMILY_SERIES));
      expect(valueOf(page, DROPPED)).toBe(250 * pages);
    }
  });

  it('has so many series of all families, whatever the next one would tell', async () => {
    const registry = new MetricsRegistry();
    const names = ['hub_first_total', 'hub_second_total', 'hub_third_total', 'hub_fourth_total'];
    registry.add(...names.map((name) => familyOf(name, numbered(MAX_FAMILY_SERIES))));
    const page = await registry.text();
    const counts = names.map((name) => ours(page, name).length);
    expect(counts).toEqual([MAX_FAMILY_SERIES, MAX_FAMILY_SERIES, MAX_SERIES - 2 * MAX_FAMILY_SERIES, 0]);
    expect(valueOf(page, DROPPED)).toBe(4 * MAX_FAMILY_SERIES - MAX_SERIES);
  });

  it('takes a name once', () => {
    const registry = new MetricsRegistry();
    registry.add(familyOf('hub_first_total', []));
    expect(() => registry.add(familyOf('hub_first_total', []))).toThrow('Two metrics named hub_first_total');
  });
});
