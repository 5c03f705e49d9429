import { Badge, Button, Code, Group, Select, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, bodyOf, type Schemas } from '../../api/client';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { useUrlParameters } from '../../ui/url-parameters';

const PAGE = 50;
const SEARCH_MILLISECONDS = 200;

type Entry = Schemas['HistoryEntry'];

const useChanges = (q: string | null, kind: string | null) =>
  useInfiniteQuery({
    queryKey: ['history', 'list', q, kind],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        skip: pageParam,
        limit: PAGE,
        ...(q && { q }),
        ...(kind && { kind: kind as Schemas['HistoryKind'] }),
      };
      return bodyOf(api.GET('/api/v1/history', { params: { query }, signal }));
    },
    initialPageParam: 0,
    getNextPageParam: ({ skip, limit, total }) => (skip + limit < total ? skip + limit : undefined),
    placeholderData: keepPreviousData,
  });

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function EntryRow({ entry }: { entry: Entry }): ReactNode {
  const { t, ago, time } = useSpoken();
  return (
    <Table.Tr>
      <Table.Td>
        <time dateTime={entry.changed_at} title={time(entry.changed_at)}>
          {ago(entry.changed_at)}
        </time>
      </Table.Td>
      <Table.Td>{entry.actor_name ?? entry.actor_id}</Table.Td>
      <Table.Td>
        <Badge variant="default" tt="none">
          {t.history.kinds[entry.kind]} · {t.history.actions[entry.action]}
        </Badge>
      </Table.Td>
      <Table.Th scope="row">{entry.subject_name}</Table.Th>
      <Table.Td>
        {entry.changes.slice(0, 5).map(({ field, from, to }) => (
          <Text size="xs" key={field} lineClamp={2}>
            {field}: <Code>{shown(from)}</Code> → <Code>{shown(to)}</Code>
          </Text>
        ))}
      </Table.Td>
    </Table.Tr>
  );
}

/** Who changed what, and when. */
export function Changes(): ReactNode {
  const { t } = useSpoken();
  const { params, change } = useUrlParameters();
  const [text, setText] = useState(params.get('q') ?? '');
  const found = useChanges(params.get('q'), params.get('kind'));
  const search = useDebouncedCallback((value: string) => change('q', value), SEARCH_MILLISECONDS);
  const entries = found.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Stack component="section">
      <Title order={2} size="h4">
        {t.settings.changes}
      </Title>
      <Group align="flex-end">
        <TextInput
          type="search"
          label={t.common.search}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            search(event.currentTarget.value);
          }}
        />
        <Select
          label={t.settings.kind}
          data={Object.entries(t.history.kinds).map(([value, label]) => ({ value, label }))}
          value={params.get('kind')}
          onChange={(kind) => change('kind', kind)}
          placeholder={t.common.all}
          clearable
        />
      </Group>
      {found.error && <FailureNotice error={found.error} retry={() => void found.refetch()} />}
      {found.data && entries.length === 0 && <Text>{t.overview.changesNone}</Text>}
      {entries.length > 0 && (
        <Table.ScrollContainer minWidth={720}>
          <Table verticalSpacing="xs">
            <Table.Tbody>
              {entries.map((entry) => (
                <EntryRow key={entry.id} entry={entry} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {found.hasNextPage && (
        <Button variant="default" onClick={() => void found.fetchNextPage()} loading={found.isFetchingNextPage}>
          {t.common.more}
        </Button>
      )}
    </Stack>
  );
}
