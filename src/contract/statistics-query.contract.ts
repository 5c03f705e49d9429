import { AnswerField, ChoiceField, satisfies, TextField } from './fields.js';
import { PROVIDERS, type Provider } from './providers.js';
import { CALL_SOURCES, type CallSource } from './usage.contract.js';

export const INTERVALS = ['minute', 'hour', 'day', 'week', 'month'] as const;
export type Interval = (typeof INTERVALS)[number];

export const GROUPINGS = [
  'model',
  'provider',
  'prompt',
  'prompt_version',
  'prompt_label',
  'token',
  'error_class',
  'source',
] as const;
export type Grouping = (typeof GROUPINGS)[number];

const MAX_GROUPINGS = 2;
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;
const DAY = /^(\d{4})-(\d\d)-(\d\d)/;

/** Date.parse takes the 30th of February for the 2nd of March. */
const isDay = (text: string): boolean => {
  const [, year, month, day] = (DAY.exec(text) ?? []).map(Number);
  return new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day)).getUTCDate() === day;
};

const timeProblem = (value: unknown): string | null => {
  const time = typeof value === 'string' && TIME.test(value) && isDay(value) ? Date.parse(value) : Number.NaN;
  return time >= EARLIEST && time <= LATEST
    ? null
    : 'must be a time between 2000 and 2200 such as 2026-11-01T00:00:00Z or 2026-11-01T08:00:00%2B08:00';
};

const isTimeZone = (name: string): boolean => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
};

/** What is wrong with the name of a time zone; null: nothing. */
export const timeZoneProblem = (value: unknown): string | null =>
  typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(value) && isTimeZone(value)
    ? null
    : 'must be the name of a time zone such as UTC, Asia/Shanghai or America/New_York';

const groupingProblem = (value: unknown): string | null => {
  const known = new Set<string>(GROUPINGS);
  const parts = typeof value === 'string' ? value.split(',') : [''];
  const isGood =
    parts.length <= MAX_GROUPINGS && new Set(parts).size === parts.length && parts.every((part) => known.has(part));
  return isGood ? null : `must be one or two of ${GROUPINGS.join(', ')}, separated by a comma`;
};

const optional = (name: string, problem: (value: unknown) => string | null): PropertyDecorator =>
  satisfies(name, (value) => (value === undefined ? null : problem(value)));

/** Query of `GET /statistics`. */
export class StatisticsQuery {
  @AnswerField({
    type: 'string',
    format: 'date-time',
    required: false,
    description:
      'Beginning of the range, to the minute; else the beginning of all, with `interval` 24 hours before `to`',
  })
  @optional('time', timeProblem)
  from?: string;

  @AnswerField({
    type: 'string',
    format: 'date-time',
    required: false,
    description: 'End of the range, not in it, to the minute; else now',
  })
  @optional('time', timeProblem)
  to?: string;

  @ChoiceField(INTERVALS, { description: 'Asks for a time series with points this long, at most 1500' })
  interval?: Interval;

  @AnswerField({
    type: 'string',
    required: false,
    default: 'UTC',
    example: 'Asia/Shanghai',
    description: 'Where hours, days, weeks and months begin: the name of an IANA time zone',
  })
  @optional('timeZone', timeZoneProblem)
  tz?: string;

  @AnswerField({
    type: 'string',
    required: false,
    example: 'model,error_class',
    description: `One or two of ${GROUPINGS.join(', ')}: a series for each`,
  })
  @optional('grouping', groupingProblem)
  group_by?: string;

  @TextField({ max: 100, description: 'Calls of the model with this alias' })
  alias?: string;

  @ChoiceField(PROVIDERS, { name: 'Provider' })
  provider?: Provider;

  @TextField({ max: 100, description: 'Calls with the system prompt of this name' })
  prompt?: string;

  @TextField({ max: 64, description: 'Calls with this token' })
  token_id?: string;

  @ChoiceField([...CALL_SOURCES, 'all'], { default: 'api', description: 'Who asked; all: playground and tests too' })
  source?: CallSource | 'all';

  @ChoiceField(['json', 'csv'], { description: 'Else as `Accept` says' })
  format?: 'json' | 'csv';
}
