import { Alert, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useSpoken } from '../language/language';

export type HealthState = 'ready' | 'degraded' | 'down' | 'offline';

const EVERY_MILLISECONDS = 10_000;
const WHILE_WRONG_MILLISECONDS = 3000;

const look = async (signal: AbortSignal): Promise<HealthState> => {
  try {
    const response = await fetch('/health/ready', { signal });
    const { status } = (await response.json()) as { status?: string };
    if (status === 'ready') return 'ready';
    return status === 'degraded' ? 'degraded' : 'down';
  } catch {
    return 'offline';
  }
};

/** How the hub is, as readiness says it. */
export const useHealth = (): HealthState =>
  useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => look(signal),
    refetchInterval: ({ state }) => (state.data === 'ready' ? EVERY_MILLISECONDS : WHILE_WRONG_MILLISECONDS),
    networkMode: 'always',
  }).data ?? 'ready';

const COLOR: Record<HealthState, string> = { ready: 'green', degraded: 'orange', down: 'red', offline: 'red' };

/** A dot, and its meaning in words for whoever cannot see it. */
export function HealthDot({ health }: { health: HealthState }): ReactNode {
  const { t } = useSpoken();
  return (
    <Tooltip label={t.health[health]}>
      <span role="img" aria-label={t.health[health]} tabIndex={0}>
        <span className={`status-dot status-${COLOR[health]}`} />
      </span>
    </Tooltip>
  );
}

export function HealthBanner({ health }: { health: HealthState }): ReactNode {
  const { t } = useSpoken();
  if (health === 'ready') return null;
  return (
    <Alert color={COLOR[health]} role="status" mb="md" p="xs">
      {t.health[health]}
    </Alert>
  );
}
