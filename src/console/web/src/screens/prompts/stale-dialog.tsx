import { Button, Group, Modal, SegmentedControl, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import type { PromptContent, PromptDraft } from './prompt-content';
import { contentOf, goneOnFrom } from './prompt-draft';
import { type Prompt, useVersion } from './use-prompts';

const DiffEditor = lazy(() => import('./editor/diff-editor'));

interface Texts {
  base: string;
  theirs: string;
  mine: string;
}

interface Names {
  base: string;
  theirs: string;
  mine: string;
}

/** What each of the two made of the text that both began with. */
function ThreeTexts({ texts, names }: { texts: Texts; names: Names }): ReactNode {
  return (
    <SimpleGrid cols={{ base: 1, md: 3 }}>
      {(['base', 'theirs', 'mine'] as const).map((side) => (
        <section key={side} aria-label={names[side]}>
          <Text size="sm" fw={600} mb={4}>
            {names[side]}
          </Text>
          <DiffEditor
            before={texts.base}
            after={texts[side]}
            beforeName={names.base}
            afterName={names[side]}
            isSideBySide={false}
            isWhole
          />
        </section>
      ))}
    </SimpleGrid>
  );
}

interface MergeProps {
  texts: Texts;
  names: Names;
  onChange: (mine: string) => void;
}

function Merge({ texts, names, onChange }: MergeProps): ReactNode {
  const { t } = useSpoken();
  return (
    <Stack gap="xs">
      <Text size="sm">{t.prompts.mergeHint}</Text>
      <Group grow>
        <Text size="sm" fw={600}>
          {names.theirs}
        </Text>
        <Text size="sm" fw={600}>
          {names.mine}
        </Text>
      </Group>
      <DiffEditor
        before={texts.theirs}
        after={texts.mine}
        beforeName={names.theirs}
        afterName={names.mine}
        isSideBySide
        isWhole
        onChange={onChange}
      />
    </Stack>
  );
}

interface StaleProps {
  prompt: Prompt;
  base: number;
  mine: PromptContent;
  onGoOn: (draft: PromptDraft) => void;
  onClose: () => void;
}

/** Somebody saved first: where both began, his text and mine; then mine goes on from his. */
export function StaleDialog({ prompt, base, mine, onGoOn, onClose }: StaleProps): ReactNode {
  const { t } = useSpoken();
  const latest = prompt.latest_version;
  const began = useVersion(prompt.id, base);
  const theirs = useVersion(prompt.id, latest);
  const [text, setText] = useState(mine.prompt_content);
  const [view, setView] = useState<'three' | 'merge'>('three');
  const names = {
    base: t.prompts.theBase(base),
    theirs: t.prompts.theirs(latest),
    mine: t.prompts.mine,
  };
  const failure = began.error ?? theirs.error;
  const known = began.data && theirs.data ? { base: contentOf(began.data), theirs: contentOf(theirs.data) } : null;
  const texts = known && {
    base: known.base.prompt_content,
    theirs: known.theirs.prompt_content,
    mine: text,
  };
  const goOn = (): void => {
    if (!known) return;
    onGoOn({ base: latest, content: goneOnFrom(known.base, known.theirs, { ...mine, prompt_content: text }) });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t.prompts.staleTitle}
      size="85rem"
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      <Stack>
        <Text size="sm">{t.prompts.staleText(base, latest)}</Text>
        {failure && <FailureNotice error={failure} />}
        <Group>
          <SegmentedControl
            aria-label={t.prompts.diffView}
            data={[
              { value: 'three', label: t.prompts.threeTexts },
              { value: 'merge', label: t.prompts.mergeTexts },
            ]}
            value={view}
            onChange={(value) => setView(value)}
          />
        </Group>
        <Suspense fallback={<Skeleton height={200} aria-label={t.common.loading} />}>
          {!texts && !failure && <Skeleton height={200} aria-label={t.common.loading} />}
          {texts && view === 'three' && <ThreeTexts texts={texts} names={names} />}
          {texts && view === 'merge' && <Merge texts={texts} names={names} onChange={setText} />}
        </Suspense>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button onClick={goOn} disabled={!known}>
            {t.prompts.goOn(latest)}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
