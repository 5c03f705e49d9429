import { Badge, Button, FileButton, Group, MultiSelect, SimpleGrid, Stack, Text, Textarea, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { api, bodyOf } from '../../api/client';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { isComposing } from '../../ui/is-composing';
import { type Attachment, contentOf, MAX_ATTACHMENT_BYTES, readAttachment } from './attachment';
import { RunCard } from './run-card';
import { useRuns } from './use-run';

const MOST_MODELS = 3;

const useAliases = () =>
  useQuery({
    queryKey: ['models', 'active'],
    queryFn: async ({ signal }) => {
      const { models } = await bodyOf(api.GET('/api/v1/ai-models/active', { signal }));
      return models.map(({ alias }) => alias);
    },
  });

/** Files that go with the message; each can be taken away again. */
function Attachments({ list, onChange }: { list: Attachment[]; onChange: (list: Attachment[]) => void }): ReactNode {
  const { t } = useSpoken();
  const add = async (files: File[]): Promise<void> => {
    const fitting = files.filter(({ size }) => size <= MAX_ATTACHMENT_BYTES);
    if (fitting.length < files.length) notifications.show({ message: t.playground.tooLarge, color: 'red' });
    onChange([...list, ...(await Promise.all(fitting.map(readAttachment)))]);
  };
  return (
    <Group gap="xs">
      <FileButton multiple onChange={(files) => void add(files)}>
        {(props) => (
          <Button variant="default" size="xs" {...props}>
            {t.playground.attach}
          </Button>
        )}
      </FileButton>
      {list.map(({ name }, index) => (
        <Badge
          key={name + String(index)}
          variant="default"
          size="lg"
          tt="none"
          rightSection={
            <button
              type="button"
              className="plain-button"
              aria-label={t.playground.detach(name)}
              onClick={() => onChange(list.filter((_one, at) => at !== index))}
            >
              ×
            </button>
          }
        >
          {name}
        </Badge>
      ))}
    </Group>
  );
}

export function PlaygroundScreen(): ReactNode {
  const { t } = useSpoken();
  const aliases = useAliases();
  const [chosen, setChosen] = useState<string[]>([]);
  const [system, setSystem] = useState('');
  const [text, setText] = useState('');
  const [attachments, setAttachments] = useState<Attachment[]>([]);
  const { runs, isRunning, start, stop } = useRuns();
  const canRun = chosen.length > 0 && (text.trim() !== '' || attachments.length > 0) && !isRunning;
  const run = (): void => {
    if (!canRun) return;
    const first = system.trim() === '' ? [] : [{ role: 'system', content: system }];
    start(chosen, { messages: [...first, { role: 'user', content: contentOf(text, attachments) }] });
  };
  const onKey = (event: KeyboardEvent): void => {
    if (isComposing(event)) return;
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      run();
    }
    if (event.key === 'Escape' && isRunning) stop();
  };
  return (
    <Stack onKeyDown={onKey}>
      <Title order={1} size="h2">
        {t.menu.playground}
      </Title>
      {aliases.error && <FailureNotice error={aliases.error} retry={() => void aliases.refetch()} />}
      <MultiSelect
        label={t.playground.models}
        description={t.playground.modelsHint}
        data={aliases.data ?? []}
        value={chosen}
        onChange={setChosen}
        maxValues={MOST_MODELS}
        searchable
        clearable
      />
      <Textarea
        label={t.playground.system}
        value={system}
        onChange={(event) => setSystem(event.currentTarget.value)}
        autosize
        maxRows={8}
      />
      <Textarea
        label={t.playground.message}
        description={t.playground.messageHint}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        autosize
        minRows={3}
        maxRows={16}
      />
      <Attachments list={attachments} onChange={setAttachments} />
      <Group>
        <Button onClick={run} disabled={!canRun}>
          {t.playground.run}
        </Button>
        {isRunning && (
          <Button variant="default" onClick={stop}>
            {t.playground.stop}
          </Button>
        )}
        <Text size="sm" c="dimmed">
          {t.playground.keys}
        </Text>
      </Group>
      <SimpleGrid cols={{ base: 1, md: Math.max(1, runs.length) }}>
        {runs.map((one) => (
          <RunCard key={one.alias} run={one} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}
