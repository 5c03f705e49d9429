import { Button, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';
import type { Draft } from './use-draft';
import type { Prompt } from './use-prompts';
import type { DialogName } from './workplace-header';

interface StandingProps {
  prompt: Prompt;
  draft: Draft;
  shown: number | null;
  onOpen: (dialog: DialogName) => void;
  onShow: (version: number | null) => void;
  onEdit: () => void;
}

/** What is being worked on: 基于 v6 的草稿, or a version that is read. */
export function Standing({ prompt, draft, shown, onOpen, onShow, onEdit }: StandingProps): ReactNode {
  const { t } = useSpoken();
  const { latest_version: latest } = prompt;
  if (shown !== null) {
    return (
      <Group gap="sm">
        <Text size="sm">{t.prompts.viewing(shown)}</Text>
        <Button size="xs" variant="default" onClick={() => onShow(null)}>
          {draft.isChanged ? t.prompts.toDraft : t.prompts.toLatest}
        </Button>
        {!draft.isChanged && (
          <Button size="xs" variant="default" onClick={onEdit}>
            {t.prompts.editThis}
          </Button>
        )}
        {shown !== latest && (
          <Button size="xs" onClick={() => onOpen('restore')}>
            {t.prompts.restore}
          </Button>
        )}
      </Group>
    );
  }
  return (
    <Group gap="sm">
      <Text size="sm" role="status">
        {draft.isChanged ? `● ${t.prompts.draftOn(draft.base)}` : t.prompts.noDraft(latest)}
        {draft.base < latest && ` · ${t.prompts.newerThanDraft(latest)}`}
      </Text>
      {draft.base < latest && (
        <Button size="xs" variant="default" onClick={() => onOpen('stale')}>
          {t.prompts.compare}
        </Button>
      )}
      {draft.isChanged && (
        <Button size="xs" variant="default" onClick={() => onOpen('discard')}>
          {t.prompts.discardDraft}
        </Button>
      )}
    </Group>
  );
}
