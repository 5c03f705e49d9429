import { Alert, Button, Group, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { ConflictView } from './conflict-view';
import { KeyField } from './key-field';
import { AbilityFields, ConnectionFields, LimitFields } from './model-fields';
import { TestResultNotice } from './test-result';
import { useModelEditing } from './use-model-editing';
import { type Model, useTestModel } from './use-models';

function RestoredNotice({ onDiscard }: { onDiscard: () => void }): ReactNode {
  const { t } = useSpoken();
  return (
    <Alert>
      {t.form.draftRestored}{' '}
      <Button size="compact-xs" variant="default" onClick={onDiscard}>
        {t.form.discardDraft}
      </Button>
    </Alert>
  );
}

interface FormProps {
  /** null: a new one. */
  model: Model | null;
  onDone: () => void;
}

/** Adds a model, or changes one: what is sent is what was changed, on the version the form was opened with. */
export function ModelForm({ model, onDone }: FormProps): ReactNode {
  const { t, language } = useSpoken();
  const editing = useModelEditing(model, onDone);
  const [isReplacing, setReplacing] = useState(false);
  const test = useTestModel(language);
  const { draft, change, failure } = editing;
  const problemOf = (field: string): string | undefined =>
    failure instanceof ApiFailure ? failure.fields.find((one) => one.field === field)?.message : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    editing.save();
  };
  const parts = { draft, onChange: change, problemOf };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {editing.isRestored && <RestoredNotice onDiscard={editing.discard} />}
        <ConnectionFields {...parts} />
        <KeyField
          isStored={model?.has_api_key ?? false}
          storedHint={model?.api_key_hint ?? null}
          mustReplace={editing.mustReplaceKey}
          isReplacing={isReplacing}
          onReplacing={setReplacing}
          value={editing.key}
          onChange={editing.setKey}
          error={problemOf('api_key')}
        />
        <AbilityFields {...parts} />
        <LimitFields {...parts} />
        {test.data && !test.isPending && <TestResultNotice result={test.data} />}
        {test.error && <FailureNotice error={test.error} />}
        {failure && <FailureNotice error={failure} />}
        <Group justify="space-between">
          <Button
            variant="default"
            onClick={() => test.mutate({ ...editing.fields, ...(model && { id: model.id }) })}
            loading={test.isPending}
            title={t.form.testDraftHint}
          >
            {t.form.testDraft}
          </Button>
          <Button type="submit" loading={editing.isSaving}>
            {t.common.save}
          </Button>
        </Group>
      </Stack>
      {editing.conflict && (
        <ConflictView conflict={editing.conflict} onMerged={editing.saveMerged} onClose={editing.closeConflict} />
      )}
    </form>
  );
}
