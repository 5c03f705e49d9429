import { spawnSync } from 'node:child_process';
import type { TestHub } from './hub.js';

/** Where there is no `promtool` on the machine, what needs it is skipped by name. */
export const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

/** What `promtool check metrics` says of a page. */
export const promtoolOf = (page: string): { status: number | null; stdout: string; stderr: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
  return { status, stdout, stderr };
};

export const readMetrics = async (hub: Pick<TestHub, 'request'>, token?: string): Promise<string> =>
  (await hub.request('get', '/metrics', token).expect(200)).text;

export interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const ESCAPED: Record<string, string> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };
const NUMBER = /^(?:[+-]?Inf|[Nn]a[Nn]|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

const labelsOf = (text: string): Record<string, string> => {
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length;) {
    const found = LABEL.exec(text);
    if (!found) throw new Error(`These are no labels: ${text}`);
    const [, name = '', value = ''] = found;
    if (name in labels) throw new Error(`The label ${name} is there twice: ${text}`);
    labels[name] = value.replaceAll(/\\["\\n]/g, (pair) => ESCAPED[pair] ?? pair);
  }
  return labels;
};

/** Every series of a page, read as strictly as Prometheus does; throws for a line that it would not take. */
export const seriesOf = (page: string): Series[] => {
  if (!page.endsWith('\n')) throw new Error('The last line does not end');
  const lines = page.split('\n').filter((line) => line !== '' && !/^# (?:HELP|TYPE) \S+ /.test(line));
  return lines.map((line) => {
    const [, name, labels, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined || !NUMBER.test(value)) throw new Error(`No such line: ${line}`);
    return { name, labels: labelsOf(labels ?? ''), value: Number(value.replace('Inf', 'Infinity')) };
  });
};

/** The value of the series with exactly this name and at least these labels; NaN: there is none. */
export const valueOf = (page: string, name: string, labels: Record<string, string> = {}): number =>
  seriesOf(page).find(
    (series) =>
      series.name === name && Object.entries(labels).every(([label, value]) => series.labels[label] === value),
  )?.value ?? Number.NaN;

/** What a provider or a caller might say so that a page of metrics says something else, or tells what was said. */
export const SAID = 'said-by-somebody-else';
export const HOSTILE_TEXTS = [
  `${SAID} "quoted" and \\ back`,
  `${SAID}\nhub_forged_total{alias="x"} 1\n`,
  `"} 1\nhub_forged_total 1\n# ${SAID}`,
  `# TYPE hub_forged_total counter ${SAID}`,
  `\u202E${SAID}\u202C שלום`,
  `${SAID}",error_class="ok`,
  SAID.padEnd(100, 'x'),
];

/** What of a page is neither a name of a model nor a word of ours: nothing that anybody said may be in it. */
export const foreignLabels = (page: string): string[] =>
  seriesOf(page).flatMap(({ name, labels }) =>
    Object.entries(labels)
      .filter(([label, value]) => label !== 'alias' && !/^[\w.+()-]{1,40}$/.test(value))
      .map(([label, value]) => `${name} ${label} ${value}`),
  );
