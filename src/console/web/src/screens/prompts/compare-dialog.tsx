import { Group, Modal, Select, Skeleton, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { DiffView } from './diff-view';
import { sortedLabels } from './label-chips';
import { contentOf } from './prompt-draft';
import { type Prompt, useVersion } from './use-prompts';

/** More of them are found by typing. */
export const CHOICES_SHOWN = 100;

/** Numbers of versions with the labels that stand at them, newest first. */
export const useVersionChoices = ({ latest_version, labels }: Prompt): { value: string; label: string }[] => {
  const { t } = useSpoken();
  const chips = sortedLabels(labels);
  return Array.from({ length: latest_version }, (_, index) => latest_version - index).map((version) => {
    const here = chips.flatMap(([label, at]) => (at === version ? [label] : []));
    return { value: String(version), label: [t.prompts.version(version), ...here].join(' · ') };
  });
};

/** What differs between two versions that are saved. */
export function VersionDiff({ prompt, from, to }: { prompt: Prompt; from: number; to: number }): ReactNode {
  const { t } = useSpoken();
  const before = useVersion(prompt.id, from);
  const after = useVersion(prompt.id, to);
  const failure = before.error ?? after.error;
  if (failure) return <FailureNotice error={failure} />;
  if (!before.data || !after.data) return <Skeleton height={200} aria-label={t.common.loading} />;
  return (
    <DiffView
      before={contentOf(before.data)}
      after={contentOf(after.data)}
      beforeName={t.prompts.version(from)}
      afterName={t.prompts.version(to)}
    />
  );
}

interface CompareProps {
  prompt: Prompt;
  first: { from: number; to: number };
  onClose: () => void;
}

/** Any two versions beside each other. */
export function CompareDialog({ prompt, first, onClose }: CompareProps): ReactNode {
  const { t } = useSpoken();
  const [{ from, to }, setChosen] = useState(first);
  const choices = useVersionChoices(prompt);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t.prompts.compareTitle}
      size="70rem"
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      <Stack>
        <Group>
          <Select
            label={t.prompts.from}
            data={choices}
            value={String(from)}
            onChange={(version) => version && setChosen({ from: Number(version), to })}
            allowDeselect={false}
            searchable
            limit={CHOICES_SHOWN}
          />
          <Select
            label={t.prompts.to}
            data={choices}
            value={String(to)}
            onChange={(version) => version && setChosen({ from, to: Number(version) })}
            allowDeselect={false}
            searchable
            limit={CHOICES_SHOWN}
          />
        </Group>
        <VersionDiff prompt={prompt} from={from} to={to} />
      </Stack>
    </Modal>
  );
}
