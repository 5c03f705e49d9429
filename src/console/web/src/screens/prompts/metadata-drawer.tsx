import { Alert, Button, Drawer, Group, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { useLeaveGuard } from '../../ui/leave-guard';
import { type Metadata, MetadataFields, metadataOf, toMetadata } from './metadata-fields';
import { MetadataConflict } from './metadata-conflict';
import { isSame } from './prompt-draft';
import { useUpdatePrompt } from './change-prompts';
import { fetchPrompt, type Prompt } from './use-prompts';

interface DrawerProps {
  prompt: Prompt;
  onClose: () => void;
}

/** What a prompt is called and how it is found: changed without a new version. */
export function MetadataDrawer({ prompt, onClose }: DrawerProps): ReactNode {
  const { t } = useSpoken();
  // A form works on what it was opened with; what others do meanwhile shows when it is saved.
  const [base, setBase] = useState(prompt);
  const [metadata, setMetadata] = useState(() => metadataOf(prompt));
  const [theirs, setTheirs] = useState<Prompt | null>(null);
  const update = useUpdatePrompt(prompt.id);
  const isChanged = !isSame(metadata, metadataOf(base));
  useLeaveGuard(isChanged, t.prompts.leave);
  const isConflict = update.error instanceof ApiFailure && update.error.status === 412;
  const problemOf = (field: string): string | undefined =>
    update.error instanceof ApiFailure ? update.error.fields.find((one) => one.field === field)?.message : undefined;
  const store = (version: number, fields: Metadata): void =>
    update.mutate(
      { version, fields: toMetadata(fields) },
      {
        onSuccess: () => {
          notifications.show({ message: t.prompts.propertiesSaved, color: 'green' });
          onClose();
        },
        onError: (error) => void showConflict(error),
      },
    );
  const showConflict = async (error: Error): Promise<void> => {
    if (error instanceof ApiFailure && error.status === 412) setTheirs(await fetchPrompt(prompt.id));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    store(base.version, metadata);
  };
  const saveMerged = (now: Prompt, merged: Metadata): void => {
    setTheirs(null);
    setBase(now);
    setMetadata(merged);
    store(now.version, merged);
  };
  return (
    <Drawer
      opened
      onClose={() => (!isChanged || confirm(t.prompts.leave)) && onClose()}
      title={t.prompts.properties}
      position="right"
      size="lg"
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <MetadataFields
            metadata={metadata}
            onChange={(changed) => setMetadata({ ...metadata, ...changed })}
            problemOf={problemOf}
          />
          {update.error && !isConflict && <FailureNotice error={update.error} />}
          {theirs && (
            <Alert color="orange" title={t.prompts.conflictTitle} role="alert">
              <MetadataConflict
                base={metadataOf(base)}
                theirs={metadataOf(theirs)}
                mine={metadata}
                onMerged={(merged) => saveMerged(theirs, merged)}
              />
            </Alert>
          )}
          <Group justify="flex-end">
            <Button type="submit" loading={update.isPending} disabled={!isChanged || theirs !== null}>
              {t.common.save}
            </Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}
