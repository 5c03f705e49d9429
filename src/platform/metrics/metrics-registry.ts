import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import type { Labels, MetricFamily, Sample } from './metric-family.js';

/** Of one family, and of all in one answer: a Prometheus that is sent more without end falls over before the hub does. */
export const MAX_FAMILY_SERIES = 20_000;
export const MAX_SERIES = 50_000;

/** Gauges with names of counters, which Prometheus' own checker refuses. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

const DROPPED = 'hub_metrics_dropped_series_total';

interface Value {
  metricName: string;
  labels: Labels;
  sharedLabels: Labels;
  value: number;
}

/** One object, since the library remembers the text of each that it is given. */
const NONE: Labels = {};

/** Everything that `/metrics` tells, of both services and of Node itself. */
@Injectable()
export class MetricsRegistry {
  private readonly families = new Map<string, MetricFamily>();
  /** What Node tells costs a little all the time: from the first question on. */
  private node: Registry | null = null;
  private dropped = 0;

  /** A name is taken once. */
  add(...families: MetricFamily[]): void {
    for (const family of families) {
      if (this.families.has(family.name)) throw new Error(`Two metrics named ${family.name}`);
      this.families.set(family.name, family);
    }
  }

  get contentType(): string {
    return Registry.PROMETHEUS_CONTENT_TYPE;
  }

  /** Prometheus' text format. */
  async text(): Promise<string> {
    const written = [(await this.ofNode().metrics()).trimEnd()];
    let left = MAX_SERIES;
    for (const family of this.families.values()) {
      const values = this.read(family, Math.min(left, MAX_FAMILY_SERIES));
      left -= values.length;
      written.push(await pageOf(family, values));
      // A page may be long: calls go on in between.
      await nextTurn();
    }
    const dropped = [{ metricName: DROPPED, labels: NONE, sharedLabels: NONE, value: this.dropped }];
    written.push(await pageOf(DROPPED_SERIES, dropped));
    return `${written.join('\n\n')}\n`;
  }

  private ofNode(): Registry {
    if (this.node) return this.node;
    this.node = new Registry();
    collectDefaultMetrics({ register: this.node });
    for (const name of MISNAMED) this.node.removeSingleMetric(name);
    return this.node;
  }

  private read(family: MetricFamily, most: number): Value[] {
    const values: Value[] = [];
    for (const sample of family.collect()) {
      if (values.length < most) values.push(valueOf(family, sample));
      else this.dropped += 1;
    }
    return values;
  }
}

const DROPPED_SERIES = {
  name: DROPPED,
  help: 'Series that were left out of answers because there were too many.',
  type: 'counter',
} as const;

const valueOf = ({ name }: MetricFamily, { value, labels = NONE, shared = NONE, suffix }: Sample): Value => ({
  metricName: suffix === undefined ? name : name + suffix,
  labels,
  sharedLabels: shared,
  value,
});

/** As the library writes it: it asks a metric for its name, help, type and values, and escapes them. */
const pageOf = async (
  { name, help, type }: Pick<MetricFamily, 'name' | 'help' | 'type'>,
  values: Value[],
): Promise<string> => {
  const page = new Registry();
  page.registerMetric({ name, get: () => Promise.resolve({ name, help, type, values }) } as unknown as Metric);
  return (await page.metrics()).trimEnd();
};
