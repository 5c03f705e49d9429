import { Button, Group, Paper, Skeleton, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { LabelChip, sortedLabels } from './label-chips';
import { type Prompt, useAuthors, useProtectedLabels, useVersions, type VersionSummary } from './use-prompts';

interface EntryProps {
  entry: VersionSummary;
  labels: string[];
  protectedLabels: readonly string[];
  author: string;
  isShown: boolean;
  onShow: () => void;
}

function VersionEntry({ entry, labels, protectedLabels, author, isShown, onShow }: EntryProps): ReactNode {
  const { t, ago, time } = useSpoken();
  const { version, message, origin, base_version, created_at } = entry;
  const isRestored = origin === 'restore' && base_version !== null;
  const said = message || (isRestored ? t.prompts.restoredFrom(base_version) : '');
  return (
    <UnstyledButton className="version-entry" aria-current={isShown} onClick={onShow}>
      <Group gap={4}>
        <Text span fw={700} size="sm">
          {t.prompts.version(version)}
        </Text>
        {labels.map((label) => (
          <LabelChip key={label} label={label} isProtected={protectedLabels.includes(label)} />
        ))}
      </Group>
      <Text size="sm" lineClamp={2} c={said === '' ? 'dimmed' : undefined}>
        {said || t.prompts.noMessage}
      </Text>
      <Text size="xs" c="dimmed" truncate>
        <time dateTime={created_at} title={time(created_at)}>
          {ago(created_at)}
        </time>{' '}
        {t.prompts.by(author)}
      </Text>
    </UnstyledButton>
  );
}

interface ListProps {
  prompt: Prompt;
  /** null: the draft, or the newest where there is none. */
  shown: number | null;
  /** The version a draft began with; null: there is none. */
  draftOn: number | null;
  onShow: (version: number | null) => void;
}

/** What was saved, newest first, and above it what is not. */
export function VersionList({ prompt, shown, draftOn, onShow }: ListProps): ReactNode {
  const { t } = useSpoken();
  const found = useVersions(prompt.id);
  const authors = useAuthors(prompt.id);
  const protectedLabels = useProtectedLabels();
  const versions = found.data?.pages.flatMap((page) => page.versions) ?? [];
  const here = shown ?? (draftOn === null ? prompt.latest_version : null);
  return (
    <Paper withBorder p="xs" component="nav" aria-label={t.prompts.versions}>
      <Title order={2} size="h5" px="xs" pb="xs">
        {t.prompts.versions}
      </Title>
      {found.error && <FailureNotice error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Skeleton height={120} aria-label={t.common.loading} />}
      <Stack gap={2} mah="70vh" style={{ overflow: 'auto' }}>
        {draftOn !== null && (
          <UnstyledButton className="version-entry" aria-current={shown === null} onClick={() => onShow(null)}>
            <Text size="sm" fw={700}>
              ● {t.prompts.draft}
            </Text>
            <Text size="xs">{t.prompts.draftOn(draftOn)}</Text>
          </UnstyledButton>
        )}
        {versions.map((entry) => (
          <VersionEntry
            key={entry.version}
            entry={entry}
            labels={sortedLabels(prompt.labels).flatMap(([label, at]) => (at === entry.version ? [label] : []))}
            protectedLabels={protectedLabels}
            author={authors.get(entry.created_by) ?? entry.created_by}
            isShown={here === entry.version}
            onShow={() => onShow(entry.version)}
          />
        ))}
        {found.hasNextPage && (
          <Button
            size="xs"
            variant="subtle"
            onClick={() => void found.fetchNextPage()}
            loading={found.isFetchingNextPage}
          >
            {t.common.more}
          </Button>
        )}
      </Stack>
    </Paper>
  );
}
