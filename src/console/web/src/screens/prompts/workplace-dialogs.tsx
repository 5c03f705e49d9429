import { notifications } from '@mantine/notifications';
import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { ConfirmDialog } from '../../ui/confirm-dialog';
import { FailureNotice } from '../../ui/failure-notice';
import { useArchive, useRefresh, useRestoreVersion } from './change-prompts';
import { CompareDialog } from './compare-dialog';
import type { DialogProps } from './dialog-props';
import { LabelDialog } from './label-dialog';
import { MetadataDrawer } from './metadata-drawer';
import { isStale } from './save-dialog';
import { Saving, Stale } from './saving';
import { useMovedNotice } from './use-label-move';
import { useFollowers } from './use-prompts';
import type { DialogName } from './workplace-header';

function Restore({ prompt, shown, onOpen, onShow }: DialogProps): ReactNode {
  const { t } = useSpoken();
  const restore = useRestoreVersion(prompt.id);
  const refresh = useRefresh();
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
        // Asked again with the number that is true now.
        onError: (error) => isStale(error) && void refresh(),
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
      {restore.error && isStale(restore.error) && (
        <Text role="alert">{t.prompts.newerThanDraft(prompt.latest_version)}</Text>
      )}
      {restore.error && !isStale(restore.error) && <FailureNotice error={restore.error} />}
    </ConfirmDialog>
  );
}

function Archive({ prompt, onOpen }: DialogProps): ReactNode {
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

function Compare({ prompt, shown, onOpen }: DialogProps): ReactNode {
  const { latest_version: latest, labels } = prompt;
  const to = shown ?? latest;
  const other = to === latest ? (labels.production ?? latest - 1) : latest;
  const from = other === to ? Math.max(1, to - 1) : other;
  return <CompareDialog prompt={prompt} first={{ from, to }} onClose={() => onOpen(null)} />;
}

function Label({ prompt, shown, onOpen }: DialogProps): ReactNode {
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

function Metadata({ prompt, onOpen }: DialogProps): ReactNode {
  return <MetadataDrawer prompt={prompt} onClose={() => onOpen(null)} />;
}

function Discard({ draft, onOpen }: DialogProps): ReactNode {
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

const DIALOGS: Record<DialogName, (props: DialogProps) => ReactNode> = {
  save: Saving,
  stale: Stale,
  compare: Compare,
  label: Label,
  restore: Restore,
  archive: Archive,
  metadata: Metadata,
  discard: Discard,
};

/** The dialog that is open, if any. */
export function WorkplaceDialogs(props: DialogProps): ReactNode {
  if (props.open === null) return null;
  const Dialog = DIALOGS[props.open];
  return <Dialog {...props} />;
}
