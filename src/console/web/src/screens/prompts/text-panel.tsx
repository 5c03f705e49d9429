import { Group, Select, Skeleton, Stack, Text, UnstyledButton } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useMemo, useRef } from 'react';
import { useSpoken } from '../../language/language';
import type { EditorHandle } from './editor/code-editor';
import type { PromptContent } from './prompt-content';
import { countCharacters, estimateTokens, isPlain } from './template-text';
import type { Checked } from './use-check';

const CodeEditor = lazy(() => import('./editor/code-editor'));

const SYNTAXES = ['mustache-strict-1', 'plain'] as const satisfies PromptContent['syntax'][];

interface PanelProps {
  content: PromptContent;
  checked: Checked;
  isReadOnly: boolean;
  onChange: (changed: Partial<PromptContent>) => void;
}

function Counts({ content, checked }: { content: PromptContent; checked: Checked }): ReactNode {
  const { t, number } = useSpoken();
  const { prompt_content: text } = content;
  const state = checked.errors.length > 0 ? t.prompts.errorCount(checked.errors.length) : t.prompts.noErrors;
  return (
    <Group gap="md" className="numbers">
      <Text size="sm">{t.prompts.characters(number(countCharacters(text)))}</Text>
      <Text size="sm">{t.prompts.tokens(number(estimateTokens(text)))}</Text>
      {text !== '' && (
        <Text size="sm" role="status" className={checked.errors.length > 0 ? 'status-red' : undefined}>
          {checked.errors.length > 0 ? '⚠ ' : '✓ '}
          {state}
        </Text>
      )}
    </Group>
  );
}

/** The text, what is wrong with it, and how long it is. */
export function TextPanel({ content, checked, isReadOnly, onChange }: PanelProps): ReactNode {
  const { t } = useSpoken();
  const editor = useRef<EditorHandle>(null);
  const names = useMemo(() => content.variables.map(({ name }) => name), [content.variables]);
  return (
    <Stack gap="xs">
      <Group justify="space-between" align="flex-end">
        <Select
          label={t.prompts.syntax}
          size="xs"
          data={SYNTAXES.map((syntax) => ({ value: syntax, label: t.prompts.syntaxes[syntax] }))}
          value={content.syntax}
          onChange={(syntax) => syntax && onChange({ syntax })}
          allowDeselect={false}
          disabled={isReadOnly}
          w={170}
        />
        <Counts content={content} checked={checked} />
      </Group>
      <Suspense fallback={<Skeleton height={320} aria-label={t.common.loading} />}>
        <CodeEditor
          ref={editor}
          value={content.prompt_content}
          onChange={(prompt_content) => onChange({ prompt_content })}
          isReadOnly={isReadOnly}
          isTemplate={!isPlain(content.syntax)}
          label={t.prompts.text}
          placeholder={t.prompts.textPlaceholder}
          errors={checked.errors}
          names={names}
        />
      </Suspense>
      {checked.errors.map(({ line, column, message }) => (
        <UnstyledButton
          key={`${line}:${column}:${message}`}
          onClick={() => editor.current?.goTo(line, column)}
          title={t.prompts.goToError(line)}
        >
          <Text size="sm">
            <strong className="status-red">{t.prompts.errorAt(line, column)}</strong> {message}
          </Text>
        </UnstyledButton>
      ))}
    </Stack>
  );
}
