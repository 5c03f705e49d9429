import { Badge, Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';

const rank = (label: string): number => (label === 'production' ? 0 : label === 'staging' ? 1 : 2);

export const sortedLabels = (labels: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(labels).sort(([one], [other]) => rank(one) - rank(other) || one.localeCompare(other));

interface ChipProps {
  label: string;
  text?: string;
  isProtected?: boolean;
}

/** What callers get by default is filled; every other label is outlined. */
export function LabelChip({ label, text = label, isProtected = false }: ChipProps): ReactNode {
  const { t } = useSpoken();
  return (
    <Badge size="sm" tt="none" variant={label === 'production' ? 'filled' : 'default'}>
      {text}
      {isProtected && ` · ${t.prompts.isProtected}`}
    </Badge>
  );
}

/** `production v4 · staging v6 · latest v7`. */
export function LabelChips({ labels }: { labels: Readonly<Record<string, number>> }): ReactNode {
  const { t } = useSpoken();
  return (
    <Group gap={4}>
      {sortedLabels(labels).map(([label, version]) => (
        <LabelChip key={label} label={label} text={t.prompts.labelAt(label, version)} />
      ))}
    </Group>
  );
}
