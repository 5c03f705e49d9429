import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import UPlot from 'uplot';

export interface Line {
  name: string;
  values: (number | null)[];
}

interface ChartProps {
  /** Seconds since 1970 of each point's beginning. */
  times: number[];
  lines: Line[];
  /** IANA time zone of the axis. */
  zone: string;
  format: (value: number) => string;
  /** What times are called in the legend, and how they are written. */
  timeLabel: string;
  locale: string;
}

const HEIGHT = 220;
const ROOM_ABOVE = 1.1;
const DAY_SECONDS = 86_400;
const COLORS = [
  '#4263eb',
  '#e8590c',
  '#2b8a3e',
  '#9c36b5',
  '#0b7285',
  '#c92a2a',
  '#5f3dc4',
  '#5c940d',
  '#364fc7',
  '#862e9c',
];

type Written = (seconds: number) => string;

/** A moment in full, and as it stands at an axis: by the day where there are several. */
const clockOf = ({ times, zone, locale }: ChartProps): { whole: Written; short: Written } => {
  const isOfDays = (times.at(-1) ?? 0) - (times[0] ?? 0) > 2 * DAY_SECONDS;
  const parts = isOfDays
    ? ({ month: 'numeric', day: 'numeric' } as const)
    : ({ hour: '2-digit', minute: '2-digit' } as const);
  const whole = new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  const short = new Intl.DateTimeFormat(locale, { timeZone: zone, ...parts });
  return { whole: (seconds) => whole.format(seconds * 1000), short: (seconds) => short.format(seconds * 1000) };
};

const optionsOf = (chart: ChartProps, width: number, isDark: boolean): UPlot.Options => {
  const { lines, zone, format, timeLabel } = chart;
  const { whole, short } = clockOf(chart);
  const stroke = isDark ? '#c9c9c9' : '#495057';
  const grid = { stroke: isDark ? '#373a40' : '#e9ecef', width: 1 };
  const orDash = (write: (value: number) => string) => (_chart: UPlot, value: number | null) =>
    value === null ? '–' : write(value);
  return {
    width,
    height: HEIGHT,
    // Nothing but zeros is at the bottom of a scale, not in its middle.
    scales: { y: { range: (_chart, _least, most) => [0, most > 0 ? most * ROOM_ABOVE : 1] } },
    tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), zone),
    series: [
      { label: timeLabel, value: orDash(whole) },
      ...lines.map(({ name }, index) => ({
        label: name,
        stroke: COLORS[index % COLORS.length] ?? stroke,
        width: 2,
        spanGaps: false,
        // A minute between others without calls would be no line at all.
        points: { show: true, size: 4 },
        value: orDash(format),
      })),
    ],
    axes: [
      { stroke, grid, values: (_chart, moments) => moments.map(short) },
      { stroke, grid, size: 70, values: (_chart, values) => values.map(format) },
    ],
  };
};

/** Lines over time. What it sums up to is in the table above it, too, for whoever cannot see it. */
export default function LineChart(props: ChartProps): ReactNode {
  const { times, lines, zone, format, timeLabel, locale } = props;
  const place = useRef<HTMLDivElement>(null);
  const isDark = useComputedColorScheme() === 'dark';
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const data: UPlot.AlignedData = [times, ...lines.map(({ values }) => values)];
    const options = optionsOf({ times, lines, zone, format, timeLabel, locale }, element.clientWidth, isDark);
    const chart = new UPlot(options, data, element);
    const watch = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      chart.destroy();
    };
  }, [times, lines, zone, format, timeLabel, locale, isDark]);
  return <div ref={place} aria-hidden />;
}
