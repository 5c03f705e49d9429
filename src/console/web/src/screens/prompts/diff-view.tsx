import { Group, List, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { useSpoken } from '../../language/language';
import type { PromptContent } from './prompt-content';
import { isSame, type VariableDifference, variableDifferences } from './prompt-draft';

const DiffEditor = lazy(() => import('./editor/diff-editor'));

interface DiffProps {
  before: PromptContent;
  after: PromptContent;
  beforeName: string;
  afterName: string;
}

function OtherChanges({ before, after }: Pick<DiffProps, 'before' | 'after'>): ReactNode {
  const { t } = useSpoken();
  const said: Record<VariableDifference['kind'], (name: string) => string> = {
    added: t.prompts.variableAdded,
    removed: t.prompts.variableRemoved,
    changed: t.prompts.variableChanged,
  };
  const differences = variableDifferences(before, after).map(({ kind, name }) => said[kind](name));
  if (!isSame(before.example_variables, after.example_variables)) differences.push(t.prompts.examplesChanged);
  if (before.syntax !== after.syntax) differences.push(t.prompts.syntaxChanged);
  if (differences.length === 0) return null;
  return (
    <div>
      <Text size="sm" fw={600}>
        {t.prompts.variablesChanged}
      </Text>
      <List size="sm">
        {differences.map((difference) => (
          <List.Item key={difference}>{difference}</List.Item>
        ))}
      </List>
    </div>
  );
}

/** What differs between two contents: the texts beside each other or in one, then everything else. */
export function DiffView({ before, after, beforeName, afterName }: DiffProps): ReactNode {
  const { t } = useSpoken();
  const isNarrow = useMediaQuery('(max-width: 48em)') ?? false;
  const [view, setView] = useState<'beside' | 'unified'>('beside');
  const isSideBySide = view === 'beside' && !isNarrow;
  return (
    <Stack gap="xs" className="diff-view">
      <Group justify="space-between">
        <Text size="sm" fw={600}>
          {beforeName} → {afterName}
        </Text>
        {!isNarrow && (
          <SegmentedControl
            size="xs"
            aria-label={t.prompts.diffView}
            data={[
              { value: 'beside', label: t.prompts.sideBySide },
              { value: 'unified', label: t.prompts.unified },
            ]}
            value={view}
            onChange={(value) => setView(value)}
          />
        )}
      </Group>
      {before.prompt_content === after.prompt_content ? (
        <Text size="sm">{t.prompts.textSame}</Text>
      ) : (
        <Suspense fallback={<Skeleton height={200} aria-label={t.common.loading} />}>
          <DiffEditor
            before={before.prompt_content}
            after={after.prompt_content}
            beforeName={beforeName}
            afterName={afterName}
            isSideBySide={isSideBySide}
          />
        </Suspense>
      )}
      <OtherChanges before={before} after={after} />
    </Stack>
  );
}
