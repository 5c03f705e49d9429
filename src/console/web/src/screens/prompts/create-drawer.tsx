import { Button, Drawer, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { forgetDraft, readKeptDraft, useKeptDraft } from '../../ui/kept-draft';
import { useLeaveGuard } from '../../ui/leave-guard';
import { type Metadata, MetadataFields, NEW_METADATA, toMetadata } from './metadata-fields';
import type { PromptContent } from './prompt-content';
import { completed, isSame } from './prompt-draft';
import { type NewPrompt, useCreatePrompt } from './change-prompts';

const KEY = 'prompt:new';
const BLANK = { name: '', text: '', metadata: NEW_METADATA };

const contentWith = (prompt_content: string): PromptContent =>
  completed({ prompt_content, syntax: 'mustache-strict-1', variables: [], example_variables: {} });

/** A new prompt: what it is called, then straight on to its text. */
export function CreateDrawer({ onClose }: { onClose: () => void }): ReactNode {
  const { t } = useSpoken();
  const [, navigate] = useLocation();
  const create = useCreatePrompt();
  const [draft, setDraft] = useState(() => (readKeptDraft(KEY) as typeof BLANK | null) ?? BLANK);
  const kept = useMemo(() => (isSame(draft, BLANK) ? null : draft), [draft]);
  useKeptDraft(KEY, kept);
  useLeaveGuard(kept !== null && !create.isSuccess, t.prompts.leave);
  const problemOf = (field: string): string | undefined =>
    create.error instanceof ApiFailure ? create.error.fields.find((one) => one.field === field)?.message : undefined;
  const change = (changed: Partial<Metadata>): void =>
    setDraft({ ...draft, metadata: { ...draft.metadata, ...changed } });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    // A prompt begins with a version, and a version has to say something.
    const content = contentWith(draft.text === '' ? t.prompts.firstText : draft.text);
    create.mutate({ ...toMetadata(draft.metadata), ...content, name: draft.name.trim() } as NewPrompt, {
      onSuccess: ({ id, display_name }) => {
        setDraft(BLANK);
        forgetDraft(KEY);
        notifications.show({ message: t.prompts.created(display_name), color: 'green' });
        navigate(`/prompts/${id}`);
      },
    });
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      title={t.prompts.add}
      position="right"
      size="lg"
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <TextInput
            label={t.prompts.name}
            description={t.prompts.nameHint}
            value={draft.name}
            onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
            required
            error={problemOf('name')}
            data-autofocus
            autoComplete="off"
          />
          <Textarea
            label={t.prompts.text}
            placeholder={t.prompts.firstText}
            value={draft.text}
            onChange={(event) => setDraft({ ...draft, text: event.currentTarget.value })}
            autosize
            minRows={3}
            maxRows={12}
            error={problemOf('prompt_content')}
          />
          <MetadataFields metadata={draft.metadata} onChange={change} problemOf={problemOf} />
          {create.error && <FailureNotice error={create.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={create.isPending}>
              {t.prompts.create}
            </Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}
