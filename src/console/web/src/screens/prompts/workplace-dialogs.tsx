import { notifications } from '@mantine/notifications';
import { type ReactNode, useState } from 'react';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { ConfirmDialog } from '../../ui/confirm-dialog';
import { FailureNotice } from '../../ui/failure-notice';
import { CompareDialog } from './compare-dialog';
import { LabelDialog, LabelFailure } from './label-dialog';
import { MetadataDrawer } from './metadata-drawer';
import { completed, type PromptDraft } from './prompt-draft';
import { SaveDialog, type Saved, isStale } from './save-dialog';
import { StaleDialog } from './stale-dialog';
import type { Draft } from './use-draft';
import { useMovedNotice } from './use-label-move';
import { type LabelMove, type Prompt, useArchive, useFollowers, useMoveLabel, useRestoreVersion } from './use-prompts';
import type { DialogName } from './workplace-header';

interface DialogsProps {
  open: DialogName | null;
  prompt: Prompt;
  draft: Draft;
  /** What is wrong with the draft's text. */
  errorCount: number;
  /** The version that is read; null: the draft. */
  shown: number | null;
  onOpen: (dialog: DialogName | null) => void;
  onShow: (version: number | null) => void;
  /** Looks at the hub again before the comparison. */
  onStale: () => void;
}

const STAGING = 'staging';

function Restore({ prompt, shown, onOpen, onShow, onStale }: DialogsProps): ReactNode {
  const { t } = useSpoken();
  const restore = useRestoreVersion(prompt.id);
  const version = shown ?? prompt.latest_version;
  const run = (): void =>
    restore.mutate(
      { version, base: prompt.latest_version, message: '' },
      {
        onSuccess: (saved) => {
          const said = saved.unchanged ? t.prompts.unchanged : t.prompts.restored(version, saved.version);
          notifications.show({ message: said, color: 'green' });
          onOpen(null);
          onShow(null);
        },
        onError: (error) => isStale(error) && onStale(),
      },
    );
  return (
    <ConfirmDialog
      title={t.prompts.restoreTitle(version)}
      text={t.prompts.restoreText(version, prompt.latest_version + 1)}
      action={t.prompts.restore}
      isBusy={restore.isPending}
      onConfirm={run}
      onClose={() => onOpen(null)}
    >
      {restore.error && <FailureNotice error={restore.error} />}
    </ConfirmDialog>
  );
}

function Archive({ prompt, onOpen }: DialogsProps): ReactNode {
  const { t } = useSpoken();
  const archive = useArchive(prompt.id);
  const isInUse = archive.error instanceof ApiFailure && archive.error.code === 'prompt_in_use';
  const followers = useFollowers(prompt.id, isInUse);
  const aliases = followers.data?.models.map(({ alias }) => alias).join(', ') ?? '';
  const run = (): void =>
    archive.mutate(true, {
      onSuccess: () => {
        notifications.show({ message: t.prompts.wasArchived(prompt.display_name) });
        onOpen(null);
      },
    });
  return (
    <ConfirmDialog
      title={t.prompts.archiveTitle(prompt.display_name)}
      text={t.prompts.archiveText}
      action={t.prompts.archive}
      isDangerous
      isBusy={archive.isPending}
      onConfirm={run}
      onClose={() => onOpen(null)}
    >
      {isInUse && (
        <p role="alert">
          {t.prompts.inUse} <strong>{aliases}</strong>
        </p>
      )}
      {archive.error && !isInUse && <FailureNotice error={archive.error} />}
    </ConfirmDialog>
  );
}

function Save({ prompt, draft, errorCount, onOpen, onShow, onStale }: DialogsProps): ReactNode {
  const { t } = useSpoken();
  const move = useMoveLabel(prompt.id);
  const said = useMovedNotice(prompt.id);
  // Once it is saved the draft stands on an older version: what was compared stays.
  const [before] = useState(draft.baseContent);
  if (!before) return null;
  // The dialog is gone by then: what is said comes from here, not from its own hooks.
  const stage = async (wanted: LabelMove): Promise<void> => {
    try {
      await move.mutateAsync(wanted);
      said(wanted);
    } catch (error) {
      const message = <LabelFailure error={error as Error} label={STAGING} />;
      notifications.show({ color: 'red', autoClose: false, title: t.prompts.labelFailed, message });
    }
  };
  const saved = ({ version, isUnchanged, wantsStaging }: Saved): void => {
    const message = isUnchanged ? t.prompts.unchanged : t.prompts.saved(version);
    notifications.show({ message, color: 'green' });
    draft.discard();
    onOpen(null);
    onShow(null);
    const wanted = { label: STAGING, from: prompt.labels[STAGING] ?? null, to: version, reason: '' };
    if (wantsStaging && wanted.from !== version) void stage(wanted);
  };
  return (
    <SaveDialog
      prompt={prompt}
      base={draft.base}
      before={before}
      after={completed(draft.content)}
      onSaved={saved}
      onStale={onStale}
      errorCount={errorCount}
      onClose={() => onOpen(null)}
    />
  );
}

function Stale({ prompt, draft, onOpen, onShow }: DialogsProps): ReactNode {
  const { t } = useSpoken();
  const goOn = (next: PromptDraft): void => {
    draft.begin(next);
    notifications.show({ message: t.prompts.wentOn(next.base) });
    onOpen(null);
    onShow(null);
  };
  return (
    <StaleDialog
      prompt={prompt}
      base={draft.base}
      mine={completed(draft.content)}
      onGoOn={goOn}
      onClose={() => onOpen(null)}
    />
  );
}

function Compare({ prompt, shown, onOpen }: DialogsProps): ReactNode {
  const { latest_version: latest, labels } = prompt;
  const to = shown ?? latest;
  const other = to === latest ? (labels.production ?? latest - 1) : latest;
  const from = other === to ? Math.max(1, to - 1) : other;
  return <CompareDialog prompt={prompt} first={{ from, to }} onClose={() => onOpen(null)} />;
}

function Label({ prompt, shown, onOpen }: DialogsProps): ReactNode {
  const moved = useMovedNotice(prompt.id);
  return (
    <LabelDialog
      prompt={prompt}
      first={{ label: 'production', version: shown ?? prompt.latest_version }}
      onMoved={(move) => {
        onOpen(null);
        moved(move);
      }}
      onClose={() => onOpen(null)}
    />
  );
}

function Metadata({ prompt, onOpen }: DialogsProps): ReactNode {
  return <MetadataDrawer prompt={prompt} onClose={() => onOpen(null)} />;
}

function Discard({ draft, onOpen }: DialogsProps): ReactNode {
  const { t } = useSpoken();
  const discard = (): void => {
    draft.discard();
    onOpen(null);
  };
  return (
    <ConfirmDialog
      title={t.prompts.discardTitle}
      action={t.prompts.discardDraft}
      isDangerous
      onConfirm={discard}
      onClose={() => onOpen(null)}
    />
  );
}

const DIALOGS: Record<DialogName, (props: DialogsProps) => ReactNode> = {
  save: Save,
  stale: Stale,
  compare: Compare,
  label: Label,
  restore: Restore,
  archive: Archive,
  metadata: Metadata,
  discard: Discard,
};

/** The dialog that is open, if any. */
export function WorkplaceDialogs(props: DialogsProps): ReactNode {
  if (props.open === null) return null;
  const Dialog = DIALOGS[props.open];
  return <Dialog {...props} />;
}
