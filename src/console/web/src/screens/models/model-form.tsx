import { Alert, Button, Group, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { type Conflict, ConflictView } from './conflict-view';
import { forgetDraft, readKeptDraft, useKeptDraft, useLeaveGuard } from './kept-draft';
import { KeyField } from './key-field';
import { changedFields, draftOf, hasMoved, type ModelDraft, NEW_DRAFT, toFields } from './model-draft';
import { AbilityFields, ConnectionFields, LimitFields } from './model-fields';
import { TestResultNotice } from './test-result';
import { fetchModel, type Model, type ModelFields, useSaveModel, useTestModel } from './use-models';

interface FormProps {
  /** null: a new one. */
  model: Model | null;
  onDone: () => void;
}

/** Adds a model, or changes one: what is sent is what was changed, on the version the form was opened with. */
export function ModelForm({ model, onDone }: FormProps): ReactNode {
  const { t, language } = useSpoken();
  const draftKey = model?.id ?? 'new';
  const kept = useMemo(() => readKeptDraft(draftKey), [draftKey]);
  const [base, setBase] = useState({ draft: model ? draftOf(model) : NEW_DRAFT, version: model?.version ?? null });
  const [draft, setDraft] = useState<ModelDraft>(kept?.draft ?? base.draft);
  const [key, setKey] = useState('');
  const [isReplacing, setReplacing] = useState(false);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const save = useSaveModel();
  const test = useTestModel(language);

  const isChanged = changedFields(base.draft, draft).length > 0 || key !== '';
  const keeping = useMemo(() => ({ version: base.version, draft }), [base.version, draft]);
  useKeptDraft(draftKey, keeping, isChanged);
  useLeaveGuard(isChanged);

  const problemOf = (field: string): string | undefined =>
    save.error instanceof ApiFailure ? save.error.fields.find((one) => one.field === field)?.message : undefined;
  const change = (changed: Partial<ModelDraft>): void => setDraft({ ...draft, ...changed });
  const mustReplace = model !== null && hasMoved(base.draft, draft);
  const fieldsOf = (of: ModelDraft): ModelFields => ({
    ...toFields(of, model ? changedFields(base.draft, of) : undefined),
    ...(key !== '' && { api_key: key }),
  });

  const store = (fields: ModelFields, version: number | null): void =>
    save.mutate(
      { id: model?.id ?? null, version, fields },
      {
        onSuccess: ({ alias }) => {
          forgetDraft(draftKey);
          notifications.show({ message: t.models.saved(alias), color: 'green' });
          onDone();
        },
        onError: (error) => void showConflict(error),
      },
    );
  const showConflict = async (error: Error): Promise<void> => {
    if (!(error instanceof ApiFailure) || error.status !== 412 || !model) return;
    setConflict({ base: base.draft, theirs: draftOf(await fetchModel(model.id)), mine: draft });
  };
  const saveMerged = async (merged: ModelDraft): Promise<void> => {
    if (!model) return;
    const now = await fetchModel(model.id);
    const theirs = draftOf(now);
    setConflict(null);
    setDraft(merged);
    setBase({ draft: theirs, version: now.version });
    store({ ...toFields(merged, changedFields(theirs, merged)), ...(key !== '' && { api_key: key }) }, now.version);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    store(fieldsOf(draft), base.version);
  };
  const runTest = (): void => test.mutate({ ...fieldsOf(draft), ...(model && { id: model.id }) });

  const isConflict = save.error instanceof ApiFailure && save.error.status === 412;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {kept && (
          <Alert>
            {t.form.draftRestored}{' '}
            <Button size="compact-xs" variant="default" onClick={() => setDraft(base.draft)}>
              {t.form.discardDraft}
            </Button>
          </Alert>
        )}
        <ConnectionFields draft={draft} onChange={change} problemOf={problemOf} />
        <KeyField
          isStored={model?.has_api_key ?? false}
          storedHint={model?.api_key_hint ?? null}
          mustReplace={mustReplace}
          isReplacing={isReplacing}
          onReplacing={setReplacing}
          value={key}
          onChange={setKey}
          error={problemOf('api_key')}
        />
        <AbilityFields draft={draft} onChange={change} problemOf={problemOf} />
        <LimitFields draft={draft} onChange={change} problemOf={problemOf} />
        {test.data && !test.isPending && <TestResultNotice result={test.data} />}
        {test.error && <FailureNotice error={test.error} />}
        {save.error && !isConflict && <FailureNotice error={save.error} />}
        <Group justify="space-between">
          <Button variant="default" onClick={runTest} loading={test.isPending} title={t.form.testDraftHint}>
            {t.form.testDraft}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t.common.save}
          </Button>
        </Group>
      </Stack>
      {conflict && (
        <ConflictView
          conflict={conflict}
          onMerged={(merged) => void saveMerged(merged)}
          onClose={() => setConflict(null)}
        />
      )}
    </form>
  );
}
