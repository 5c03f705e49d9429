import { Anchor, Badge, Button, Group, Menu, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useSpoken } from '../../language/language';
import { LabelChips } from './label-chips';
import type { Prompt } from './use-prompts';

export type DialogName = 'save' | 'stale' | 'compare' | 'label' | 'restore' | 'archive' | 'metadata' | 'discard';

interface HeaderProps {
  prompt: Prompt;
  onOpen: (dialog: DialogName) => void;
  onUnarchive: () => void;
  canSave: boolean;
}

/** What the prompt is, where its labels stand, and what can be done with it. */
export function WorkplaceHeader({ prompt, onOpen, onUnarchive, canSave }: HeaderProps): ReactNode {
  const { t } = useSpoken();
  return (
    <Group justify="space-between" align="flex-start">
      <Stack gap={4}>
        <Group gap="xs">
          <Anchor component={Link} href="/prompts" size="sm">
            {t.prompts.title}
          </Anchor>
          <span aria-hidden>/</span>
          <Title order={1} size="h3">
            {prompt.display_name}
          </Title>
          {!prompt.is_active && (
            <Badge variant="outline" color="gray" tt="none">
              {t.prompts.archived}
            </Badge>
          )}
        </Group>
        <Group gap="xs">
          <Text size="sm" ff="monospace" c="dimmed">
            {prompt.name}
          </Text>
          <LabelChips labels={prompt.labels} />
          <Text size="xs">{t.prompts.latest(prompt.latest_version)}</Text>
        </Group>
      </Stack>
      <Group gap="xs">
        <Button variant="default" onClick={() => onOpen('label')}>
          {t.prompts.moveLabel}
        </Button>
        <Button variant="default" onClick={() => onOpen('compare')} disabled={prompt.latest_version < 2}>
          {t.prompts.compare}
        </Button>
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" aria-label={t.models.actions(prompt.name)}>
              ⋯
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => onOpen('metadata')}>{t.prompts.properties}</Menu.Item>
            {prompt.is_active ? (
              <Menu.Item color="red" onClick={() => onOpen('archive')}>
                {t.prompts.archive}
              </Menu.Item>
            ) : (
              <Menu.Item onClick={onUnarchive}>{t.prompts.unarchive}</Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
        <Button onClick={() => onOpen('save')} disabled={!canSave} aria-keyshortcuts="Control+S Meta+S">
          {t.prompts.save}
        </Button>
      </Group>
    </Group>
  );
}
