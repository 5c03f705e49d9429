import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { PreviewPanel } from './preview-panel';
import type { PromptContent, PromptValue, Variable } from './prompt-content';
import { TextPanel } from './text-panel';
import type { Checked } from './use-check';
import { VariableList } from './variable-list';

interface BoardProps {
  /** With what the text proposes. */
  content: PromptContent;
  declared: ReadonlySet<string>;
  checked: Checked;
  isReadOnly: boolean;
  onChange: (changed: Partial<PromptContent>) => void;
  values: Record<string, PromptValue>;
  onValues: (values: Record<string, PromptValue>) => void;
  children: ReactNode;
}

/** The text in the middle; its variables and what they make of it on the right. */
export function Board(props: BoardProps): ReactNode {
  const { content, declared, checked, isReadOnly, onChange, values, onValues, children } = props;
  return (
    <>
      <Stack gap="xs">
        <TextPanel content={content} checked={checked} isReadOnly={isReadOnly} onChange={onChange} />
        {children}
      </Stack>
      <Stack>
        <VariableList
          content={content}
          declared={declared}
          isReadOnly={isReadOnly}
          error={checked.error}
          onChange={(variables: Variable[]) => onChange({ variables })}
        />
        <PreviewPanel
          content={content}
          checked={checked}
          values={values}
          onValues={onValues}
          onExamples={isReadOnly ? undefined : (example_variables) => onChange({ example_variables })}
        />
      </Stack>
    </>
  );
}
