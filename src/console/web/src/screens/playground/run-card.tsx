import { Badge, Group, Loader, Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import type { Run } from './use-run';

export function RunCard({ run }: { run: Run }): ReactNode {
  const { t, duration, number } = useSpoken();
  const facts = [
    run.firstTokenMs === null ? null : `${t.playground.firstToken} ${duration(run.firstTokenMs)}`,
    run.totalMs === null ? null : `${t.playground.total} ${duration(run.totalMs)}`,
    run.usage === null ? null : `${number(run.usage.prompt_tokens)} + ${number(run.usage.completion_tokens)} token`,
  ].filter((fact) => fact !== null);
  return (
    <Paper withBorder p="md" component="section" aria-label={run.alias}>
      <Group justify="space-between" mb="sm">
        <Text fw={700}>{run.alias}</Text>
        {run.state === 'running' && <Loader size="xs" aria-label={t.playground.running} />}
        {run.state === 'stopped' && <Badge color="gray">{t.playground.stopped}</Badge>}
        {run.answeredBy !== null && run.answeredBy !== run.alias && (
          <Badge variant="default">{t.playground.answeredBy(run.answeredBy)}</Badge>
        )}
      </Group>
      <Text className="answer" aria-live="polite">
        {run.text}
      </Text>
      {run.error && <FailureNotice error={run.error} />}
      <Text size="xs" c="dimmed" mt="sm" className="numbers">
        {facts.join(' · ')}
      </Text>
    </Paper>
  );
}
