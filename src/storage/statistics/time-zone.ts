import type { Interval } from '../../contract/statistics-query.contract.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Wall clocks are at most 12 hours behind and 14 ahead. */
const FURTHEST = 15 * HOUR;

const floorTo = (time: number, step: number): number => Math.floor(time / step) * step;

/**
 * Where intervals begin in a time zone, by the time zone data of the runtime. Instants are milliseconds since 1970; a wall
 * time is what a clock there shows, as if it were UTC.
 */
export class TimeZone {
  private readonly clock: Intl.DateTimeFormat;
  private readonly isUtc: boolean;
  /** Offsets at the beginnings of UTC days: asked for again and again, and slow to find out. */
  private readonly offsets = new Map<number, number>();

  /** @param name of an IANA time zone that is known to the runtime */
  constructor(readonly name: string) {
    this.clock = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    this.isUtc = this.clock.resolvedOptions().timeZone === 'UTC';
  }

  /** The beginning of the interval that an instant is in. */
  startOf(interval: Interval, instant: number): number {
    if (interval === 'minute') return floorTo(instant, MINUTE);
    if (interval === 'hour') return this.startOfHour(instant);
    return this.firstInstantOf(dateOf(interval, instant + this.offsetAt(instant)));
  }

  /** The beginning of the interval after the one that begins at `start`. */
  next(interval: Interval, start: number): number {
    if (interval === 'minute') return start + MINUTE;
    if (interval === 'hour') return this.nextHour(start);
    let date = dateOf(interval, start + this.offsetAt(start));
    let next = start;
    // A zone that changes the side of the date line leaves out a day.
    while (next <= start) {
      date = dateAfter(interval, date);
      next = this.firstInstantOf(date);
    }
    return next;
  }

  /** By how much clocks there are ahead of UTC. */
  offsetAt(instant: number): number {
    if (this.isUtc) return 0;
    const day = floorTo(instant, DAY);
    const before = this.offsetOfDay(day);
    return before === this.offsetOfDay(day + DAY) ? before : this.readOffset(instant);
  }

  private offsetOfDay(day: number): number {
    const known = this.offsets.get(day) ?? this.readOffset(day);
    this.offsets.set(day, known);
    return known;
  }

  private readOffset(instant: number): number {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.clock.formatToParts(instant)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - floorTo(instant, 1000);
  }

  /** An hour also begins where clocks are changed by less than an hour. */
  private startOfHour(instant: number): number {
    const offset = this.offsetAt(instant);
    const start = instant - ((instant + offset) % HOUR);
    return this.offsetAt(start) === offset ? start : this.changeBetween(start, instant);
  }

  private nextHour(start: number): number {
    const offset = this.offsetAt(start);
    const next = start + HOUR - ((start + offset) % HOUR);
    return this.offsetAt(next - MINUTE) === offset ? next : this.changeBetween(start, next - MINUTE);
  }

  /** The first instant at which clocks show a date, or a later one where the date is left out. */
  private firstInstantOf(date: number): number {
    const offsets = [this.offsetAt(date - FURTHEST), this.offsetAt(date + FURTHEST)];
    const instants = offsets.map((offset) => date - offset).sort((a, b) => a - b) as [number, number];
    const found = instants.find((instant) => instant + this.offsetAt(instant) === date);
    // Midnight is left out when clocks are put forward then: the day begins with the change.
    return found ?? this.changeBetween(instants[0], instants[1]);
  }

  /** The first minute with the offset of `to`; `from` has another one. */
  private changeBetween(from: number, to: number): number {
    const offset = this.offsetAt(to);
    let [before, after] = [from, to];
    while (after - before > MINUTE) {
      const middle = floorTo((before + after) / 2, MINUTE);
      if (this.offsetAt(middle) === offset) after = middle;
      else before = middle;
    }
    return after;
  }
}

/** Midnight of the first day of a day, week or month, as wall time. */
const dateOf = (interval: 'day' | 'week' | 'month', wall: number): number => {
  const day = floorTo(wall, DAY);
  // Weeks begin on Monday; 1970 began on a Thursday.
  if (interval === 'week') return day - ((day / DAY + 3) % 7) * DAY;
  return interval === 'day' ? day : day - (new Date(day).getUTCDate() - 1) * DAY;
};

const dateAfter = (interval: 'day' | 'week' | 'month', date: number): number => {
  const time = new Date(date);
  if (interval === 'month') return Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + 1, 1);
  return date + (interval === 'week' ? 7 : 1) * DAY;
};
