import { Button, Drawer, Group, Modal, Paper, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type ReactNode, useState } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { ModelFilters, useModelFilters } from './model-filters';
import { ModelForm } from './model-form';
import { ModelRow, type RowActions } from './model-row';
import { TestResultNotice } from './test-result';
import { type Model, useDeleteModel, useModel, useModels, useSaveModel, useTestModel } from './use-models';

function ModelTable({ models, actions }: { models: Model[]; actions: RowActions }): ReactNode {
  const { t } = useSpoken();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const select = (id: string, isSelected: boolean): void => {
    const next = new Set(selected);
    if (isSelected) next.add(id);
    else next.delete(id);
    setSelected(next);
  };
  const chosen = models.filter(({ id }) => selected.has(id));
  return (
    <>
      {chosen.length > 0 && (
        <Group role="toolbar" aria-label={t.models.selected(chosen.length)}>
          <Text size="sm">{t.models.selected(chosen.length)}</Text>
          <Button size="xs" variant="default" onClick={() => chosen.forEach((model) => actions.onEnable(model, true))}>
            {t.models.switchOn}
          </Button>
          <Button size="xs" variant="default" onClick={() => chosen.forEach((model) => actions.onEnable(model, false))}>
            {t.models.switchOff}
          </Button>
        </Group>
      )}
      <Table.ScrollContainer minWidth={860}>
        <Table highlightOnHover verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th />
              <Table.Th scope="col">{t.models.alias}</Table.Th>
              <Table.Th scope="col">{t.models.model}</Table.Th>
              <Table.Td />
              <Table.Th scope="col">{t.models.status}</Table.Th>
              <Table.Th scope="col">{t.models.calls}</Table.Th>
              <Table.Th scope="col">{t.models.lastUsed}</Table.Th>
              <Table.Th scope="col">{t.models.enabled}</Table.Th>
              <Table.Td />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {models.map((model) => (
              <ModelRow
                key={model.id}
                model={model}
                isSelected={selected.has(model.id)}
                onSelect={(isSelected) => select(model.id, isSelected)}
                actions={actions}
              />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

function NothingHere({ isFiltered, clear }: { isFiltered: boolean; clear: () => void }): ReactNode {
  const { t } = useSpoken();
  return (
    <Paper withBorder p="xl" ta="center">
      <Text mb="md">{isFiltered ? t.models.emptyFiltered : t.models.empty}</Text>
      {isFiltered ? (
        <Button variant="default" onClick={clear}>
          {t.common.clearFilters}
        </Button>
      ) : (
        <Button component={Link} href="/models/new">
          {t.models.add}
        </Button>
      )}
    </Paper>
  );
}

function ModelList({ actions }: { actions: RowActions }): ReactNode {
  const { t } = useSpoken();
  const { filters, change, clear } = useModelFilters();
  const found = useModels(filters);
  const models = found.data?.pages.flatMap(({ models }) => models) ?? [];
  const total = found.data?.pages[0]?.total ?? 0;
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <>
      <ModelFilters filters={filters} change={change} clear={clear} />
      {found.error && <FailureNotice error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Skeleton height={240} aria-label={t.common.loading} />}
      {found.data && models.length === 0 && <NothingHere isFiltered={isFiltered} clear={clear} />}
      {models.length > 0 && <ModelTable models={models} actions={actions} />}
      {models.length > 0 && (
        <Group>
          <Text size="sm" aria-live="polite">
            {t.common.of(models.length, total)}
          </Text>
          {found.hasNextPage && (
            <Button variant="default" onClick={() => void found.fetchNextPage()} loading={found.isFetchingNextPage}>
              {t.common.more}
            </Button>
          )}
        </Group>
      )}
    </>
  );
}

/** The form over the list, at an address of its own. */
function ModelDrawer({ id, onClose }: { id: string; onClose: () => void }): ReactNode {
  const { t } = useSpoken();
  const isNew = id === 'new';
  const found = useModel(isNew ? null : id);
  const title = isNew ? t.form.titleNew : t.form.titleEdit(found.data?.alias ?? '…');
  return (
    <Drawer
      opened
      onClose={onClose}
      title={title}
      position="right"
      size="lg"
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      {found.error && <FailureNotice error={found.error} retry={() => void found.refetch()} />}
      {!isNew && found.isPending && <Skeleton height={400} aria-label={t.common.loading} />}
      {(isNew || found.data) && <ModelForm model={found.data ?? null} onDone={onClose} />}
    </Drawer>
  );
}

export function ModelsScreen({ params }: { params: { id?: string | undefined } }): ReactNode {
  const { t, language } = useSpoken();
  const [, navigate] = useLocation();
  const search = useSearch();
  const [deleting, setDeleting] = useState<Model | null>(null);
  const save = useSaveModel();
  const remove = useDeleteModel();
  const test = useTestModel(language);
  const back = (): void => navigate(search ? `/models?${search}` : '/models');
  const actions: RowActions = {
    onEnable: ({ id }, is_enabled) => save.mutate({ id, version: null, fields: { is_enabled } }),
    onDelete: setDeleting,
    onTest: ({ id }) => test.mutate({ id }),
  };
  const confirmDelete = (): void => {
    if (!deleting) return;
    const { id, alias } = deleting;
    setDeleting(null);
    remove.mutate(id, { onSuccess: () => notifications.show({ message: t.models.deleted(alias) }) });
  };
  const failure = save.error ?? remove.error ?? test.error;
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h2">
          {t.models.title}
        </Title>
        <Button component={Link} href="/models/new">
          {t.models.add}
        </Button>
      </Group>
      {failure && <FailureNotice error={failure} />}
      {test.isPending && <Text role="status">{t.models.testing}</Text>}
      {test.data && !test.isPending && <TestResultNotice result={test.data} />}
      <ModelList actions={actions} />
      {params.id && <ModelDrawer key={params.id} id={params.id} onClose={back} />}
      <Modal
        opened={deleting !== null}
        onClose={() => setDeleting(null)}
        title={t.models.deleteTitle(deleting?.alias ?? '')}
        closeButtonProps={{ 'aria-label': t.common.close }}
      >
        <Text mb="md">{t.models.deleteText}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setDeleting(null)}>
            {t.common.cancel}
          </Button>
          <Button color="red" onClick={confirmDelete}>
            {t.common.delete}
          </Button>
        </Group>
      </Modal>
    </Stack>
  );
}
