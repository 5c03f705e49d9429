import { Alert, Skeleton, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { useLeaveGuard } from '../../ui/leave-guard';
import { Board } from './board';
import { completed, contentOf, examplesOf } from './prompt-draft';
import { Standing } from './standing';
import { useCheck } from './use-check';
import { useDraft } from './use-draft';
import { useArchive, useRefresh } from './change-prompts';
import { type Prompt, useVersion } from './use-prompts';
import { VersionList } from './version-list';
import { WorkplaceDialogs } from './workplace-dialogs';
import { type DialogName, WorkplaceHeader } from './workplace-header';

/** The version in the address: null for the draft, and for the newest where nothing is unsaved. */
const useShownVersion = (prompt: Prompt, isChanged: boolean): [number | null, (version: number | null) => void] => {
  const [params, setParams] = useSearchParams();
  const given = Number(params.get('version'));
  const exists = Number.isInteger(given) && given >= 1 && given <= prompt.latest_version;
  const isTheEdited = given === prompt.latest_version && !isChanged;
  const show = (version: number | null): void =>
    setParams((before) => {
      const next = new URLSearchParams(before);
      if (version === null) next.delete('version');
      else next.set('version', String(version));
      return next;
    });
  return [exists && !isTheEdited ? given : null, show];
};

/** ⌘S and Ctrl+S, wherever the cursor is; never in the middle of composing a word. */
const useSaveKey = (canSave: boolean, save: () => void): void => {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (!(event.metaKey || event.ctrlKey) || event.altKey || event.key.toLowerCase() !== 's') return;
      event.preventDefault();
      if (canSave && !event.isComposing) save();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, [canSave, save]);
};

/** Where a prompt is read, written, compared and published. */
export function Workplace({ prompt }: { prompt: Prompt }): ReactNode {
  const { t } = useSpoken();
  const draft = useDraft(prompt);
  const [shown, show] = useShownVersion(prompt, draft.isChanged);
  const version = useVersion(prompt.id, shown ?? 0);
  const [open, setOpen] = useState<DialogName | null>(null);
  const [values, setValues] = useState(() => examplesOf(draft.content));
  const [wasRestored, setWasRestored] = useState(draft.wasKept);
  const refresh = useRefresh();
  const archive = useArchive(prompt.id);
  useLeaveGuard(draft.isChanged, t.prompts.leave);
  const canSave = draft.isChanged && shown === null && draft.baseContent !== null;
  const save = useMemo(() => () => setOpen((before) => before ?? 'save'), []);
  useSaveKey(canSave, save);

  const compareWithTheirs = (): void => void refresh().then(() => setOpen('stale'));
  const read = useMemo(() => (version.data ? contentOf(version.data) : null), [version.data]);
  const content = shown === null ? draft.content : read;
  const whole = useMemo(() => completed(content ?? draft.content), [content, draft.content]);
  const declared = useMemo(() => new Set(content?.variables.map(({ name }) => name)), [content]);
  const checked = useCheck(whole);
  const edit = (): void => {
    if (!read) return;
    draft.begin({ base: prompt.latest_version, content: read });
    show(null);
  };
  const unarchive = (): void =>
    archive.mutate(false, {
      onSuccess: () => notifications.show({ message: t.prompts.wasUnarchived(prompt.display_name) }),
    });
  return (
    <Stack>
      <WorkplaceHeader prompt={prompt} onOpen={setOpen} onUnarchive={unarchive} canSave={canSave} />
      {archive.error && <FailureNotice error={archive.error} />}
      {!prompt.is_active && <Alert color="gray">{t.prompts.isArchived}</Alert>}
      {wasRestored && draft.isChanged && (
        <Alert
          withCloseButton
          closeButtonLabel={t.common.close}
          onClose={() => setWasRestored(false)}
          p="xs"
          role="status"
        >
          {t.prompts.draftRestored}
        </Alert>
      )}
      <div className="prompt-columns">
        <VersionList prompt={prompt} shown={shown} draftOn={draft.isChanged ? draft.base : null} onShow={show} />
        {version.error && shown !== null && (
          <FailureNotice error={version.error} retry={() => void version.refetch()} />
        )}
        {!content && !version.error && <Skeleton height={400} aria-label={t.common.loading} />}
        {content && (
          <Board
            content={whole}
            declared={declared}
            checked={checked}
            isReadOnly={shown !== null}
            onChange={draft.change}
            values={values}
            onValues={setValues}
          >
            <Standing prompt={prompt} draft={draft} shown={shown} onOpen={setOpen} onShow={show} onEdit={edit} />
          </Board>
        )}
      </div>
      <WorkplaceDialogs
        open={open}
        prompt={prompt}
        draft={draft}
        shown={shown}
        errorCount={checked.errors.length}
        onOpen={setOpen}
        onShow={show}
        onStale={compareWithTheirs}
      />
    </Stack>
  );
}
