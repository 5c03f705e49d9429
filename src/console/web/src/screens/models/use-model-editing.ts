import { notifications } from '@mantine/notifications';
import { useMemo, useState } from 'react';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { forgetDraft, readKeptDraft, useKeptDraft } from '../../ui/kept-draft';
import { useLeaveGuard } from '../../ui/leave-guard';
import type { Conflict } from './conflict-view';
import { changedFields, draftOf, hasMoved, type ModelDraft, NEW_DRAFT, toFields } from './model-draft';
import { fetchModel, type Model, type ModelFields, useSaveModel } from './use-models';

/** What the editing began with. */
interface Base {
  /** null: the model is new. */
  version: number | null;
  fields: ModelDraft;
}

/** What survives a reload: with its base, so that whoever saved meanwhile is noticed. */
interface Kept {
  base: Base;
  draft: ModelDraft;
}

const isKept = (value: unknown): value is Kept =>
  typeof value === 'object' && value !== null && 'base' in value && 'draft' in value;

const isConflict = (error: Error | null): boolean => error instanceof ApiFailure && error.status === 412;

/** A form of a model: what is in it, what was there before, and what saving it comes to. */
export const useModelEditing = (model: Model | null, onDone: () => void) => {
  const { t } = useSpoken();
  const draftKey = `model:${model?.id ?? 'new'}`;
  const stored = useMemo<Base>(
    () => ({ version: model?.version ?? null, fields: model ? draftOf(model) : NEW_DRAFT }),
    [model],
  );
  const [begun, setBegun] = useState<Kept>(() => {
    const kept = readKeptDraft(draftKey);
    return isKept(kept) ? kept : { base: stored, draft: stored.fields };
  });
  const [isRestored, setRestored] = useState(() => begun.base !== stored);
  const [key, setKey] = useState('');
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const save = useSaveModel();
  const { base, draft } = begun;

  const isChanged = changedFields(base.fields, draft).length > 0;
  useKeptDraft(draftKey, isChanged ? begun : null);
  useLeaveGuard(isChanged || key !== '', t.form.leave);

  const fieldsOf = (from: ModelDraft, to: ModelDraft): ModelFields => ({
    ...toFields(to, model ? changedFields(from, to) : undefined),
    ...(key !== '' && { api_key: key }),
  });
  const showConflict = async (mine: ModelDraft): Promise<void> => {
    if (!model) return;
    const theirs = await fetchModel(model.id);
    setConflict({ base: base.fields, theirs: draftOf(theirs), version: theirs.version, mine });
  };
  const store = (from: Base, to: ModelDraft): void =>
    save.mutate(
      { id: model?.id ?? null, version: from.version, fields: fieldsOf(from.fields, to) },
      {
        onSuccess: ({ alias }) => {
          forgetDraft(draftKey);
          notifications.show({ message: t.models.saved(alias), color: 'green' });
          onDone();
        },
        onError: (error) => {
          if (isConflict(error)) void showConflict(to);
        },
      },
    );
  return {
    draft,
    key,
    setKey,
    isRestored,
    conflict,
    isSaving: save.isPending,
    /** Somebody else saved first has a view of its own. */
    failure: isConflict(save.error) ? null : save.error,
    /** The stored key would have to go elsewhere. */
    mustReplaceKey: model !== null && hasMoved(base.fields, draft),
    fields: fieldsOf(base.fields, draft),
    change: (changed: Partial<ModelDraft>): void => setBegun({ base, draft: { ...draft, ...changed } }),
    discard: (): void => {
      setRestored(false);
      setBegun({ base: stored, draft: stored.fields });
    },
    save: (): void => store(base, draft),
    /** On what they saved: should somebody save once more meanwhile, it is a conflict again. */
    saveMerged: (merged: ModelDraft): void => {
      if (!conflict) return;
      const theirs = { version: conflict.version, fields: conflict.theirs };
      setConflict(null);
      setBegun({ base: theirs, draft: merged });
      store(theirs, merged);
    },
    closeConflict: (): void => setConflict(null),
  };
};
