import { notifications } from '@mantine/notifications';
import { type ReactNode, useState } from 'react';
import { useSpoken } from '../../language/language';
import { type LabelMove, useMoveLabel } from './change-prompts';
import type { DialogProps } from './dialog-props';
import { LabelFailure } from './label-dialog';
import type { PromptDraft } from './prompt-content';
import { completed } from './prompt-draft';
import { SaveDialog, type Saved } from './save-dialog';
import { StaleDialog } from './stale-dialog';
import { useMovedNotice } from './use-label-move';

const STAGING = 'staging';

/** Saves the draft, and lets `staging` stand at it where that is wanted. */
export function Saving({ prompt, draft, errorCount, onOpen, onShow, onStale }: DialogProps): ReactNode {
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

/** Goes on from what somebody else saved. */
export function Stale({ prompt, draft, onOpen, onShow }: DialogProps): ReactNode {
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
