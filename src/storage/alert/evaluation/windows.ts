const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A stretch of time since 1970, its end not in it. */
export interface Stretch {
  from: number;
  to: number;
  /** Number of the band it is a part of, from 1 on. */
  band: number;
}

/**
 * Windows of several lengths with the same end, cut into bands: band 1 is the shortest window, band 2 what the next one has more, and
 * so on. One query reads the longest window, each row once, and any window is the sum of its bands.
 */
export class Windows {
  private readonly lengths: number[];

  /** @param lengths in minutes, in any order */
  constructor(
    lengths: readonly number[],
    private readonly end: Date,
  ) {
    this.lengths = [...new Set(lengths)].sort((a, b) => a - b);
  }

  get isEmpty(): boolean {
    return this.lengths.length === 0;
  }

  /** Minutes of the longest. */
  get longest(): number {
    return this.lengths.at(-1) ?? 0;
  }

  bands(): Stretch[] {
    const end = this.end.getTime();
    return this.lengths.map((length, index) => ({
      from: end - length * MINUTE,
      to: end - (this.lengths[index - 1] ?? 0) * MINUTE,
      band: index + 1,
    }));
  }

  /** The last band of the window of this length. */
  bandOf(length: number): number {
    return this.lengths.indexOf(length) + 1;
  }
}

/** The same time as whole hours, and as minutes where there is no whole hour. */
export const splitByHours = (stretches: readonly Stretch[]): { hours: Stretch[]; minutes: Stretch[] } => {
  const hours: Stretch[] = [];
  const minutes: Stretch[] = [];
  for (const { from, to, band } of stretches) {
    const firstHour = Math.ceil(from / HOUR) * HOUR;
    const lastHour = Math.floor(to / HOUR) * HOUR;
    if (firstHour >= lastHour) {
      minutes.push({ from, to, band });
      continue;
    }
    hours.push({ from: firstHour, to: lastHour, band });
    const edges = [
      { from, to: firstHour, band },
      { from: lastHour, to, band },
    ];
    minutes.push(...edges.filter((edge) => edge.from < edge.to));
  }
  return { hours, minutes };
};
