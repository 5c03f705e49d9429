import { Anchor, Badge, Button, Group, Paper, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { CreateDrawer } from './create-drawer';
import { LabelChips } from './label-chips';
import { PromptFilters, usePromptFilters } from './prompt-filters';
import { type PromptSummary, usePrompts } from './use-prompts';

function PromptRow({ prompt }: { prompt: PromptSummary }): ReactNode {
  const { t, number, ago, time } = useSpoken();
  const tags = Object.entries(prompt.tags);
  return (
    <Table.Tr>
      <Table.Th scope="row">
        <Anchor component={Link} href={`/prompts/${prompt.id}`}>
          {prompt.display_name}
        </Anchor>
        {!prompt.is_active && (
          <Badge ml="xs" size="sm" variant="outline" color="gray" tt="none">
            {t.prompts.archived}
          </Badge>
        )}
        <Text size="xs" c="dimmed" fw={400} ff="monospace">
          {prompt.name}
        </Text>
      </Table.Th>
      <Table.Td>
        <Text size="sm">{prompt.category ?? '–'}</Text>
        <Text size="xs" c="dimmed">
          {prompt.language}
        </Text>
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          {tags.map(([name, value]) => (
            <Badge key={name} variant="default" size="sm" tt="none">
              {value === '' ? name : `${name}: ${value}`}
            </Badge>
          ))}
        </Group>
      </Table.Td>
      <Table.Td>
        <LabelChips labels={prompt.labels} />
        <Text size="xs" c="dimmed">
          {t.prompts.latest(prompt.latest_version)}
        </Text>
      </Table.Td>
      <Table.Td className="numbers">{number(prompt.usage_count)}</Table.Td>
      <Table.Td title={prompt.last_used_at === null ? undefined : time(prompt.last_used_at)}>
        {ago(prompt.last_used_at)}
      </Table.Td>
      <Table.Td title={time(prompt.updated_at)}>{ago(prompt.updated_at)}</Table.Td>
    </Table.Tr>
  );
}

function PromptTable({ prompts }: { prompts: PromptSummary[] }): ReactNode {
  const { t } = useSpoken();
  const columns = [
    t.prompts.displayName,
    t.prompts.category,
    t.prompts.tags,
    t.prompts.labels,
    t.prompts.uses,
    t.prompts.lastUsed,
    t.prompts.changed,
  ];
  return (
    <Table.ScrollContainer minWidth={860}>
      <Table highlightOnHover verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th scope="col" key={column}>
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {prompts.map((prompt) => (
            <PromptRow key={prompt.id} prompt={prompt} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function NothingHere({ isFiltered, clear }: { isFiltered: boolean; clear: () => void }): ReactNode {
  const { t } = useSpoken();
  return (
    <Paper withBorder p="xl" ta="center">
      <Text mb="md">{isFiltered ? t.prompts.emptyFiltered : t.prompts.empty}</Text>
      {isFiltered ? (
        <Button variant="default" onClick={clear}>
          {t.common.clearFilters}
        </Button>
      ) : (
        <Button component={Link} href="/prompts/new">
          {t.prompts.add}
        </Button>
      )}
    </Paper>
  );
}

function PromptList(): ReactNode {
  const { t } = useSpoken();
  const filters = usePromptFilters();
  const found = usePrompts(filters.query);
  const prompts = found.data?.pages.flatMap((page) => page.prompts) ?? [];
  const total = found.data?.pages[0]?.total ?? 0;
  const categories = [...new Set(prompts.flatMap(({ category }) => category ?? []))];
  return (
    <>
      <PromptFilters filters={filters} categories={categories} />
      {found.error && <FailureNotice error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Skeleton height={240} aria-label={t.common.loading} />}
      {found.data && prompts.length === 0 && <NothingHere isFiltered={filters.isFiltered} clear={filters.clear} />}
      {prompts.length > 0 && (
        <>
          <PromptTable prompts={prompts} />
          <Group>
            <Text size="sm" aria-live="polite">
              {t.common.of(prompts.length, total)}
            </Text>
            {found.hasNextPage && (
              <Button variant="default" onClick={() => void found.fetchNextPage()} loading={found.isFetchingNextPage}>
                {t.common.more}
              </Button>
            )}
          </Group>
        </>
      )}
    </>
  );
}

/** All prompts; at /prompts/new the form for another one over them. */
export default function PromptsScreen(): ReactNode {
  const { t } = useSpoken();
  const [location, navigate] = useLocation();
  const search = useSearch();
  const query = search ? `?${search}` : '';
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h2">
          {t.prompts.title}
        </Title>
        <Button component={Link} href={`/prompts/new${query}`}>
          {t.prompts.add}
        </Button>
      </Group>
      <PromptList />
      {location === '/prompts/new' && <CreateDrawer onClose={() => navigate(`/prompts${query}`)} />}
    </Stack>
  );
}
