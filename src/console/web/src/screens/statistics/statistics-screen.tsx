import { Group, Paper, Select, SegmentedControl, SimpleGrid, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useMemo } from 'react';
import { type Spoken, useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import {
  type Chosen,
  GROUPS,
  ownZone,
  type Point,
  RANGES,
  SOURCES,
  type Statistics,
  useChosen,
  useStatistics,
} from './use-statistics';

const LineChart = lazy(() => import('./line-chart'));

type Totals = Statistics['series'] extends (infer Series)[] | null
  ? Series extends { totals: infer Of }
    ? Of
    : never
  : never;

interface Figure {
  name: string;
  of: (sums: Totals | Point) => number | null;
  format: (value: number) => string;
}

const figures = ({ t, number, percent, duration, usd }: Spoken): Figure[] => [
  { name: t.overview.calls, of: ({ calls }) => calls, format: (value) => number(value) },
  { name: t.overview.errorRate, of: ({ calls, errors }) => (calls === 0 ? null : errors / calls), format: percent },
  { name: 'P50', of: ({ latency_ms }) => latency_ms.p50, format: duration },
  { name: 'P95', of: ({ latency_ms }) => latency_ms.p95, format: duration },
  { name: t.overview.tokens, of: ({ tokens }) => tokens.input + tokens.output, format: (value) => number(value) },
  { name: t.overview.cost, of: ({ cost_usd }) => cost_usd, format: usd },
];

const MOST_LINES = 10;

const nameOf = (group: Record<string, string | number | null>, all: string): string =>
  Object.values(group)
    .map((value) => (value === null ? '–' : String(value)))
    .join(' · ') || all;

function Chart({ statistics, figure, zone }: { statistics: Statistics; figure: Figure; zone: string }): ReactNode {
  const { t, language } = useSpoken();
  const series = useMemo(() => (statistics.series ?? []).slice(0, MOST_LINES), [statistics]);
  const times = useMemo(() => (series[0]?.points ?? []).map(({ start }) => Date.parse(start) / 1000), [series]);
  const lines = useMemo(
    () => series.map(({ group, points }) => ({ name: nameOf(group, t.common.all), values: points.map(figure.of) })),
    // The figure is the same as long as its name is.
    [series, figure.name, t],
  );
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h5" mb="xs">
        {figure.name}
      </Title>
      <Suspense fallback={<Skeleton height={220} />}>
        <LineChart
          times={times}
          lines={lines}
          zone={zone}
          format={figure.format}
          timeLabel={t.statistics.time}
          locale={language}
        />
      </Suspense>
    </Paper>
  );
}

function SumsTable({ statistics }: { statistics: Statistics }): ReactNode {
  const spoken = useSpoken();
  const columns = figures(spoken);
  const written = ({ of, format }: Figure, totals: Totals): string => {
    const value = of(totals);
    return value === null ? '–' : format(value);
  };
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table className="numbers">
        <Table.Thead>
          <Table.Tr>
            <Table.Td />
            {columns.map(({ name }) => (
              <Table.Th key={name} scope="col">
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {(statistics.series ?? []).map(({ group, totals }) => (
            <Table.Tr key={nameOf(group, '')}>
              <Table.Th scope="row">{nameOf(group, spoken.t.common.all)}</Table.Th>
              {columns.map((column) => (
                <Table.Td key={column.name}>{written(column, totals)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Choices({
  chosen,
  change,
}: {
  chosen: Chosen;
  change: (name: string, value: string | null) => void;
}): ReactNode {
  const { t } = useSpoken();
  const zones = [...new Set([chosen.zone, ownZone(), 'UTC', 'Asia/Shanghai'])];
  return (
    <Group align="flex-end">
      <SegmentedControl
        aria-label={t.statistics.range}
        data={(Object.keys(RANGES) as (keyof typeof RANGES)[]).map((value) => ({
          value,
          label: t.statistics.ranges[value],
        }))}
        value={chosen.range}
        onChange={(range) => change('range', range)}
      />
      <Select
        label={t.statistics.groupBy}
        data={GROUPS.map((value) => ({ value, label: t.statistics.groups[value] }))}
        value={chosen.group}
        onChange={(group) => change('group', group)}
        placeholder={t.common.none}
        clearable
      />
      <Select
        label={t.statistics.source}
        data={SOURCES.map((value) => ({ value, label: t.statistics.sources[value] }))}
        value={chosen.source}
        onChange={(source) => change('source', source)}
        allowDeselect={false}
      />
      <Select
        label={t.statistics.zone}
        data={zones}
        value={chosen.zone}
        onChange={(zone) => change('tz', zone)}
        allowDeselect={false}
      />
    </Group>
  );
}

/** The sums, then each figure over time. */
function Figures({ statistics, zone }: { statistics: Statistics; zone: string }): ReactNode {
  const spoken = useSpoken();
  return (
    <>
      <SumsTable statistics={statistics} />
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {figures(spoken)
          .filter(({ name }) => name !== 'P50')
          .map((figure) => (
            <Chart key={figure.name} statistics={statistics} figure={figure} zone={zone} />
          ))}
      </SimpleGrid>
    </>
  );
}

export function StatisticsScreen(): ReactNode {
  const spoken = useSpoken();
  const { t } = spoken;
  const { chosen, change } = useChosen();
  const found = useStatistics(chosen);
  return (
    <Stack>
      <Title order={1} size="h2">
        {t.menu.statistics}
      </Title>
      <Choices chosen={chosen} change={change} />
      {found.error && <FailureNotice error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Skeleton height={400} aria-label={t.common.loading} />}
      {found.data && (
        <>
          <Text size="sm" c="dimmed">
            {t.statistics.times(chosen.zone)}
          </Text>
          {found.data.unpriced_calls > 0 && (
            <Text size="sm">{t.statistics.unpriced(spoken.number(found.data.unpriced_calls))}</Text>
          )}
          {found.data.usage_count === 0 ? (
            <Paper withBorder p="xl" ta="center">
              <Text>{t.statistics.empty}</Text>
            </Paper>
          ) : (
            <Figures statistics={found.data} zone={chosen.zone} />
          )}
        </>
      )}
    </Stack>
  );
}
