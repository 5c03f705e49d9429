import {
  MAX_HISTOGRAM_NUMBERS_PER_BATCH,
  MAX_RECORDS_PER_BATCH,
  type UsageRecord,
} from '../../contract/usage.contract.js';
import { addCall, emptyRecord, type FinishedCall, histogramLength, kindOf, toSend } from './usage-record.js';

/** About 50 MB: the kinds of calls of an outage of days. */
const MAX_RECORDS = 100_000;
/** And as much again for how long the calls took. */
const MAX_BUCKETS = 3_000_000;

/** The calls that were not put in a batch yet: those that are alike added up, the oldest kinds first. */
export class UsageRecords {
  private readonly records = new Map<string, UsageRecord>();
  /** In the histograms of all records. */
  private buckets = 0;

  get size(): number {
    return this.records.size;
  }

  get calls(): number {
    return callsIn(this.records.values());
  }

  /** Answers whether there was room for it. */
  add(call: FinishedCall): boolean {
    const at = Date.now();
    const kind = kindOf(call, at);
    const record = this.records.get(kind) ?? this.start(kind, call, at);
    if (record) this.buckets += addCall(record, call, at);
    return record !== null;
  }

  /** The oldest records, as many as a batch may hold, and at most so many. */
  take(most: number): UsageRecord[] {
    const taken: UsageRecord[] = [];
    let numbers = 0;
    for (const [kind, record] of this.records) {
      numbers += histogramLength(record);
      if (taken.length === Math.min(most, MAX_RECORDS_PER_BATCH) || numbers > MAX_HISTOGRAM_NUMBERS_PER_BATCH) break;
      taken.push(toSend(record));
      this.records.delete(kind);
      this.buckets -= histogramLength(record) / 2;
    }
    return taken;
  }

  private start(kind: string, call: FinishedCall, at: number): UsageRecord | null {
    if (this.records.size >= MAX_RECORDS || this.buckets >= MAX_BUCKETS) return null;
    const record = emptyRecord(call, at);
    this.records.set(kind, record);
    return record;
  }
}

export const callsIn = (records: Iterable<UsageRecord>): number => {
  let calls = 0;
  for (const record of records) calls += record.calls;
  return calls;
};
