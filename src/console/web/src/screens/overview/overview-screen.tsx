import { Anchor, Button, List, Paper, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { type Spoken, useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { type Totals, useDays, useLatestChanges, useModelsInTrouble } from './use-overview';

interface Figure {
  name: string;
  of: (totals: Totals) => string;
}

const share = ({ usage_count: calls, error_count: errors }: Totals): number => (calls === 0 ? 0 : errors / calls);

const figures = ({ t, number, percent, duration, usd }: Spoken): Figure[] => [
  { name: t.overview.calls, of: (totals) => number(totals.usage_count) },
  { name: t.overview.errorRate, of: (totals) => percent(share(totals)) },
  { name: t.overview.p95, of: ({ latency_ms: { p95 } }) => (p95 === null ? '–' : duration(p95)) },
  { name: t.overview.tokens, of: ({ tokens }) => number(tokens.input + tokens.output) },
  { name: t.overview.cost, of: (totals) => usd(totals.cost_usd) },
];

function Figures(): ReactNode {
  const spoken = useSpoken();
  const days = useDays();
  if (days.error) return <FailureNotice error={days.error} retry={() => void days.refetch()} />;
  if (!days.data) return <Skeleton height={96} aria-label={spoken.t.common.loading} />;
  const { today, before } = days.data;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }}>
      {figures(spoken).map(({ name, of }) => (
        <Paper key={name} withBorder p="md">
          <Text size="sm">{name}</Text>
          <Text size="xl" fw={700} className="numbers">
            {of(today)}
          </Text>
          <Text size="xs">{spoken.t.overview.before(of(before))}</Text>
        </Paper>
      ))}
    </SimpleGrid>
  );
}

function FirstSteps(): ReactNode {
  const { t } = useSpoken();
  return (
    <Paper withBorder p="lg">
      <Title order={2} size="h4" mb="sm">
        {t.overview.firstSteps}
      </Title>
      <List type="ordered" mb="md">
        <List.Item>{t.overview.firstStep1}</List.Item>
        <List.Item>{t.overview.firstStep2}</List.Item>
        <List.Item>{t.overview.firstStep3}</List.Item>
      </List>
      <Button component={Link} href="/models/new">
        {t.overview.addModel}
      </Button>
    </Paper>
  );
}

function Attention(): ReactNode {
  const { t } = useSpoken();
  const found = useModelsInTrouble();
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h4" mb="sm">
        {t.overview.attention}
      </Title>
      {found.error && <FailureNotice error={found.error} />}
      {found.data?.models.length === 0 && <Text size="sm">{t.overview.attentionNone}</Text>}
      {found.data?.models.map(({ id, alias, last_error }) => (
        <Text size="sm" key={id} truncate>
          <Anchor component={Link} href={`/models/${id}`}>
            {alias}
          </Anchor>{' '}
          {last_error}
        </Text>
      ))}
    </Paper>
  );
}

function Changes(): ReactNode {
  const { t, ago, time } = useSpoken();
  const found = useLatestChanges();
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h4" mb="sm">
        {t.overview.changes}
      </Title>
      {found.error && <FailureNotice error={found.error} />}
      {found.data?.entries.length === 0 && <Text size="sm">{t.overview.changesNone}</Text>}
      {found.data?.entries.map(({ id, changed_at, kind, action, subject_name, actor_name, actor_id }) => (
        <Text size="sm" key={id}>
          <time dateTime={changed_at} title={time(changed_at)}>
            {ago(changed_at)}
          </time>{' '}
          · {actor_name ?? actor_id} · {t.history.kinds[kind]} {t.history.actions[action]}{' '}
          <strong>{subject_name}</strong>
        </Text>
      ))}
    </Paper>
  );
}

export function OverviewScreen(): ReactNode {
  const { t } = useSpoken();
  const days = useDays();
  return (
    <Stack>
      <Title order={1} size="h2">
        {t.menu.overview}
        <Text span size="sm" ml="sm">
          {t.overview.last24Hours}
        </Text>
      </Title>
      <Figures />
      {days.data?.today.total_models === 0 && <FirstSteps />}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Attention />
        <Changes />
      </SimpleGrid>
    </Stack>
  );
}
