import { Alert, Button, Checkbox, Group, Modal, Stack, Textarea } from '@mantine/core';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { isComposing } from '../../ui/is-composing';
import { DiffView } from './diff-view';
import type { PromptContent } from './prompt-content';
import { useSaveVersion } from './change-prompts';
import type { Prompt } from './use-prompts';

export interface Saved {
  version: number;
  isUnchanged: boolean;
  wantsStaging: boolean;
}

interface SaveProps {
  prompt: Prompt;
  base: number;
  before: PromptContent;
  after: PromptContent;
  /** Of the text: with one it cannot be saved. */
  errorCount: number;
  onSaved: (saved: Saved) => void;
  onStale: () => void;
  onClose: () => void;
}

export const isStale = (error: Error): boolean => error instanceof ApiFailure && error.code === 'prompt_base_stale';

/** The difference first, then the words for it: nobody saves what he has not seen. */
export function SaveDialog(props: SaveProps): ReactNode {
  const { prompt, base, before, after, errorCount, onSaved, onStale, onClose } = props;
  const { t } = useSpoken();
  const [message, setMessage] = useState('');
  const [wantsStaging, setWantsStaging] = useState(false);
  const save = useSaveVersion(prompt.id);
  const { staging } = prompt.labels;
  const store = (): void => {
    if (save.isPending || errorCount > 0) return;
    save.mutate(
      { content: after, base, message },
      {
        onSuccess: ({ version, unchanged }) => onSaved({ version, isUnchanged: unchanged, wantsStaging }),
        onError: (error) => isStale(error) && onStale(),
      },
    );
  };
  const storeByKey = (event: KeyboardEvent): void => {
    const isMeant = (event.metaKey || event.ctrlKey) && ['Enter', 's'].includes(event.key);
    if (!isMeant || isComposing(event)) return;
    event.preventDefault();
    event.stopPropagation();
    store();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t.prompts.saveTitle}
      size="70rem"
      closeButtonProps={{ 'aria-label': t.common.close }}
      onKeyDown={storeByKey}
    >
      <Stack>
        <DiffView before={before} after={after} beforeName={t.prompts.version(base)} afterName={t.prompts.draft} />
        <Textarea
          label={t.prompts.message}
          placeholder={t.prompts.messagePlaceholder}
          value={message}
          onChange={(event) => setMessage(event.currentTarget.value)}
          maxLength={500}
          autosize
          maxRows={4}
          data-autofocus
        />
        <Checkbox
          label={t.prompts.setStaging(staging === undefined ? t.prompts.nowhere : t.prompts.version(staging))}
          checked={wantsStaging}
          onChange={(event) => setWantsStaging(event.currentTarget.checked)}
        />
        {errorCount > 0 && (
          <Alert color="red" role="alert">
            {t.prompts.saveErrors(errorCount)}
          </Alert>
        )}
        {save.error && !isStale(save.error) && <FailureNotice error={save.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button onClick={store} loading={save.isPending} disabled={errorCount > 0}>
            {t.prompts.saveVersion(base + 1)}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
