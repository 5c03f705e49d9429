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
  /** What times are called in the legend. */
  timeLabel: string;
}

const HEIGHT = 220;
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

/** Lines over time. What it shows is in the table below it, too, for whoever cannot see it. */
export default function LineChart({ times, lines, zone, format, timeLabel }: ChartProps): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const isDark = useComputedColorScheme() === 'dark';
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const stroke = isDark ? '#c9c9c9' : '#495057';
    const grid = { stroke: isDark ? '#373a40' : '#e9ecef', width: 1 };
    const chart = new UPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), zone),
        series: [
          { label: timeLabel },
          ...lines.map(({ name }, index) => ({
            label: name,
            stroke: COLORS[index % COLORS.length] ?? stroke,
            width: 2,
            spanGaps: false,
            value: (_chart: UPlot, value: number | null) => (value === null ? '–' : format(value)),
          })),
        ],
        axes: [
          { stroke, grid },
          { stroke, grid, size: 70, values: (_chart, values) => values.map(format) },
        ],
      },
      [times, ...lines.map(({ values }) => values)],
      element,
    );
    const watch = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      chart.destroy();
    };
  }, [times, lines, zone, format, timeLabel, isDark]);
  return <div ref={place} aria-hidden />;
}
