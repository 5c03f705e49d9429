import { Alert, Autocomplete, Button, Group, Modal, Select, Stack, Text, Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { CHOICES_SHOWN, useVersionChoices, VersionDiff } from './compare-dialog';
import { type LabelMove, useMoveLabel } from './change-prompts';
import { type Prompt, useFollowers, useProtectedLabels } from './use-prompts';

const USUAL = ['production', 'staging'];

/** A label that is protected, or that somebody else moved just now, in the reader's words. */
export function LabelFailure({ error, label }: { error: Error; label: string }): ReactNode {
  const { t } = useSpoken();
  const code = error instanceof ApiFailure ? error.code : null;
  if (code !== 'label_protected' && code !== 'label_moved') return <FailureNotice error={error} />;
  return (
    <Alert color={code === 'label_moved' ? 'orange' : 'red'} role="alert">
      {code === 'label_moved' ? t.prompts.labelMoved : t.prompts.protectedText(label)}
    </Alert>
  );
}

function Followers({ id, label }: { id: string; label: string }): ReactNode {
  const { t } = useSpoken();
  const found = useFollowers(id);
  if (found.error) return <FailureNotice error={found.error} />;
  if (!found.data) return null;
  const aliases = found.data.models.filter((model) => model.label === label).map(({ alias }) => alias);
  return (
    <Text size="sm">{aliases.length === 0 ? t.prompts.affectedNone : t.prompts.affected(aliases.join(', '))}</Text>
  );
}

interface LabelProps {
  prompt: Prompt;
  first: { label: string; version: number };
  onMoved: (move: LabelMove) => void;
  onClose: () => void;
}

/** `production: v4 → v6`, with what that changes and for whom. */
export function LabelDialog({ prompt, first, onMoved, onClose }: LabelProps): ReactNode {
  const { t } = useSpoken();
  const [label, setLabel] = useState(first.label);
  const [target, setTarget] = useState(first.version);
  const [reason, setReason] = useState('');
  const protectedLabels = useProtectedLabels();
  const choices = useVersionChoices(prompt);
  const move = useMoveLabel(prompt.id);
  const from = prompt.labels[label] ?? null;
  const nameOf = (version: number | null): string =>
    version === null ? t.prompts.nowhere : t.prompts.version(version);
  const run = (to: number | null): void => {
    const wanted = { label, from, to, reason };
    move.mutate(wanted, { onSuccess: () => onMoved(wanted) });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t.prompts.moveTitle}
      size="70rem"
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      <Stack>
        <Group align="flex-start">
          <Autocomplete
            label={t.prompts.label}
            description={t.prompts.labelHint}
            data={[...new Set([...USUAL, ...Object.keys(prompt.labels)])]}
            value={label}
            onChange={setLabel}
            required
          />
          <Select
            label={t.prompts.target}
            description={t.prompts.latest(prompt.latest_version)}
            data={choices}
            value={String(target)}
            onChange={(version) => version && setTarget(Number(version))}
            allowDeselect={false}
            searchable
            limit={CHOICES_SHOWN}
          />
        </Group>
        <Text fw={700} aria-live="polite">
          {t.prompts.moveLine(label, nameOf(from), nameOf(target))}
          {protectedLabels.includes(label) && ` · ${t.prompts.isProtected}`}
        </Text>
        <Followers id={prompt.id} label={label} />
        {from !== null && from !== target && <VersionDiff prompt={prompt} from={from} to={target} />}
        <Textarea
          label={t.prompts.reason}
          description={t.common.optional}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          maxLength={500}
          autosize
        />
        {move.error && <LabelFailure error={move.error} label={label} />}
        <Group justify="space-between">
          <Button variant="default" disabled={from === null} loading={move.isPending} onClick={() => run(null)}>
            {t.prompts.removeLabel}
          </Button>
          <Group>
            <Button variant="default" onClick={onClose}>
              {t.common.cancel}
            </Button>
            <Button onClick={() => run(target)} loading={move.isPending} disabled={label === '' || from === target}>
              {t.prompts.move}
            </Button>
          </Group>
        </Group>
      </Stack>
    </Modal>
  );
}
