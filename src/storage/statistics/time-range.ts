import { INTERVALS, type Interval, type StatisticsQuery } from '../../contract/statistics-query.contract.js';
import { invalidFields } from '../../platform/errors/app-error.js';
import type { UsageTable } from '../usage/usage-rows.js';
import { TimeZone } from './time-zone.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const MAX_POINTS = 1500;
/** What an interval is at least as long as. */
const SHORTEST: Record<Interval, number> = {
  minute: MINUTE,
  hour: HOUR,
  day: DAY - HOUR,
  week: 7 * DAY - HOUR,
  month: 28 * DAY - HOUR,
};
/** Before the first call and after the last that can be recorded. */
const BEGINNING = 0;
const END = 100_000 * DAY;

/** From when on rows by the minute and by the hour are all there: beginnings of UTC days, `hour` never the later one. */
export interface CompleteFrom {
  minute: number;
  hour: number;
}

/** The range that is answered for; milliseconds since 1970. */
export interface TimeRange {
  from: number;
  to: number;
  /** What the caller is told: null where nothing limits it. */
  shownFrom: string | null;
  shownTo: string | null;
  /** Beginnings of the points of a series in their order, the first one not later than `from`; null: no series asked for. */
  starts: number[] | null;
}

const floorTo = (time: number, step: number): number => Math.floor(time / step) * step;
const ceilTo = (time: number, step: number): number => Math.ceil(time / step) * step;
const toText = (time: number): string => new Date(time).toISOString();

/** The finest rows that are there around an instant. */
const resolutionAt = (time: number, complete: CompleteFrom): number => {
  if (floorTo(time, HOUR) >= complete.minute) return MINUTE;
  return floorTo(time, DAY) >= complete.hour ? HOUR : DAY;
};

const requestedRange = (query: StatisticsQuery, now: number): { from: number; to: number } => {
  const to = query.to === undefined ? null : Date.parse(query.to);
  const from = query.from === undefined ? null : Date.parse(query.from);
  const end = to ?? now;
  if (from !== null && from >= end) throw invalidFields({ field: 'from', message: 'from must be earlier than to' });
  const isOpen = to === null && from === null && query.interval === undefined;
  return {
    from: from ?? (query.interval ? end - DAY : BEGINNING),
    // The minute that is running belongs to what was up to now.
    to: isOpen ? END : ceilTo(end, MINUTE),
  };
};

const tooManyPoints = (interval: Interval, from: number, to: number): Error => {
  const fitting = INTERVALS.find((other) => (to - from) / SHORTEST[other] <= MAX_POINTS - 2);
  const advice = fitting ? `ask for interval=${fitting} or for a shorter range` : 'ask for a shorter range';
  return invalidFields({
    field: 'interval',
    message: `interval ${interval} gives more than ${MAX_POINTS} points for this range: ${advice}`,
  });
};

const pointsOf = (zone: TimeZone, interval: Interval, from: number, to: number): number[] => {
  if ((to - from) / SHORTEST[interval] > MAX_POINTS * 1.1) throw tooManyPoints(interval, from, to);
  const starts: number[] = [];
  for (let start = zone.startOf(interval, from); start < to; start = zone.next(interval, start)) starts.push(start);
  if (starts.length > MAX_POINTS) throw tooManyPoints(interval, from, to);
  return starts;
};

/** A point that begins in the middle of the finest row that is left cannot be told from the one before. */
const checkDivisions = (starts: readonly number[], { interval, tz }: StatisticsQuery, complete: CompleteFrom): void => {
  const broken = starts.slice(1).find((start) => start % resolutionAt(start, complete) !== 0);
  if (broken === undefined) return;
  const [unit, since] = broken % HOUR === 0 ? ['hour', complete.hour] : ['minute', complete.minute];
  throw invalidFields({
    field: 'from',
    message:
      `interval ${interval} in ${tz ?? 'UTC'} needs what was counted by the ${unit}, which is kept from ${toText(since)} on: ` +
      `ask for a later from, a longer interval or tz=UTC`,
  });
};

/**
 * The range of a query, to the minute. Where the rows by the minute (or hour) are gone it is widened to whole hours (or
 * days); throws `validation_failed` for what cannot be answered exactly, and for more points than an answer may have.
 */
export const resolveRange = (query: StatisticsQuery, complete: CompleteFrom, now: number): TimeRange => {
  const asked = requestedRange(query, now);
  const from = floorTo(asked.from, resolutionAt(asked.from, complete));
  const to = ceilTo(asked.to, resolutionAt(asked.to, complete));
  const zone = new TimeZone(query.tz ?? 'UTC');
  const starts = query.interval ? pointsOf(zone, query.interval, from, to) : null;
  if (starts) checkDivisions(starts, query, complete);
  return {
    from,
    to,
    shownFrom: asked.from === BEGINNING ? null : toText(from),
    shownTo: asked.to === END ? null : toText(to),
    starts,
  };
};

/** A stretch of time that whole rows of one table cover, and the point that it belongs to. */
export interface Span {
  from: number;
  to: number;
  point: number;
}

export type Spans = Record<UsageTable, Span[]>;

const STEPS = [
  { table: 'usage_days', step: DAY },
  { table: 'usage_hours', step: HOUR },
  { table: 'usage_minutes', step: MINUTE },
] as const;

/** Covers a stretch by the longest rows that fit, and what is left at its two ends by shorter ones. */
const cover = (spans: Spans, { from, to, point }: Span, depth = 0): void => {
  const row = STEPS[depth];
  if (from >= to || !row) return;
  const [first, last] = [ceilTo(from, row.step), floorTo(to, row.step)];
  if (first >= last) return cover(spans, { from, to, point }, depth + 1);
  cover(spans, { from, to: first, point }, depth + 1);
  spans[row.table].push({ from: first, to: last, point });
  cover(spans, { from: last, to, point }, depth + 1);
};

/** What has to be read for a range: a number of rows that grows with the points and series, never with the calls. */
export const spansOf = ({ from, to, starts }: TimeRange): Spans => {
  const spans: Spans = { usage_minutes: [], usage_hours: [], usage_days: [] };
  const points = starts ?? [from];
  for (const [point, start] of points.entries()) {
    cover(spans, { from: Math.max(start, from), to: Math.min(points[point + 1] ?? to, to), point });
  }
  return spans;
};
