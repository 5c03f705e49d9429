import { histogramSamples, type Labels, type Sample } from './metric-family.js';

export const zeros = (length: number): number[] => Array.from({ length }, () => 0);

/** Counts values by fixed bounds; cheap enough for every call. */
export class BoundedHistogram {
  private readonly counts: number[];
  private sum = 0;

  /** @param bounds ascending */
  constructor(private readonly bounds: readonly number[]) {
    this.counts = zeros(bounds.length + 1);
  }

  add(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] as number)) at += 1;
    (this.counts[at] as number) += 1;
    this.sum += value;
  }

  samples(labels?: Labels): Iterable<Sample> {
    return histogramSamples(this.bounds, this.counts, this.sum, labels);
  }
}
