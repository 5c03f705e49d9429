import { Injectable } from '@nestjs/common';
import { CHANNEL_KINDS, type ChannelKind } from '../../contract/alert-channel.contract.js';
import type { MetricFamily, MetricType } from '../../platform/metrics/metric-family.js';

type Tally = Map<ChannelKind, number>;

const add = (tally: Tally, kind: ChannelKind, count: number): void =>
  void tally.set(kind, (tally.get(kind) ?? 0) + count);

/** What this process delivered, and what it last saw waiting: `/metrics` asks no database. */
@Injectable()
export class DeliveryTallies {
  private readonly delivered: Tally = new Map();
  private readonly failures: Tally = new Map();
  private readonly givenUp: Tally = new Map();
  private queued: Tally = new Map();

  noteDelivered(kind: ChannelKind): void {
    add(this.delivered, kind, 1);
  }

  noteFailed(kind: ChannelKind): void {
    add(this.failures, kind, 1);
  }

  noteGivenUp(kind: ChannelKind, count = 1): void {
    add(this.givenUp, kind, count);
  }

  noteQueued(counts: readonly { kind: ChannelKind; count: number }[]): void {
    this.queued = new Map(counts.map(({ kind, count }) => [kind, count]));
  }

  families(): MetricFamily[] {
    return [
      family('hub_alert_notifications_queued', QUEUED, 'gauge', () => this.queued),
      family('hub_alert_notifications_delivered_total', DELIVERED, 'counter', () => this.delivered),
      family('hub_alert_notifications_given_up_total', GIVEN_UP, 'counter', () => this.givenUp),
      family('hub_alert_delivery_failures_total', FAILURES, 'counter', () => this.failures),
    ];
  }
}

const QUEUED = 'Messages that wait to be delivered, as this process last saw it: the same number at each, not a part.';
const DELIVERED = 'Messages that this process delivered.';
const GIVEN_UP = 'Messages that this process gave up: tried for 24 hours, or their channel is off or gone.';
const FAILURES = 'Attempts of this process to deliver a message that failed.';

const family = (name: string, help: string, type: MetricType, tally: () => Tally): MetricFamily => ({
  name,
  help,
  type,
  collect: () => CHANNEL_KINDS.map((kind) => ({ value: tally().get(kind) ?? 0, labels: { channel_kind: kind } })),
});
