import { Accordion, Badge, Group, Paper, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import type { PromptContent, Variable } from './prompt-content';
import { withoutOptions } from './prompt-draft';
import { isPlain, namesOf } from './template-text';
import { VariableEditor } from './variable-editor';

interface VariablesProps {
  /** As it would be saved, with what the text proposes. */
  content: PromptContent;
  /** The names of those that somebody declared. */
  declared: ReadonlySet<string>;
  isReadOnly: boolean;
  /** The declarations are wrong. */
  error: Error | null;
  onChange: (variables: Variable[]) => void;
}

function Summary({ variable, isProposed, isUsed }: { variable: Variable; isProposed: boolean; isUsed: boolean }) {
  const { t } = useSpoken();
  return (
    <Group gap={6} wrap="wrap">
      <Text span size="sm" fw={600} ff="monospace">
        {variable.name}
        {variable.required && (
          <span title={t.prompts.required} aria-label={t.prompts.required}>
            {' '}
            *
          </span>
        )}
      </Text>
      <Text span size="xs" c="dimmed">
        {t.prompts.types[variable.type]}
      </Text>
      {isProposed && (
        <Badge size="xs" variant="light" tt="none" title={t.prompts.proposedHint}>
          {t.prompts.proposed}
        </Badge>
      )}
      {!isUsed && (
        <Badge size="xs" variant="default" tt="none">
          ⚠ {t.prompts.unused}
        </Badge>
      )}
    </Group>
  );
}

/** The variables: those the text uses come by themselves, and whoever changes one declares it. */
export function VariableList({ content, declared, isReadOnly, error, onChange }: VariablesProps): ReactNode {
  const { t } = useSpoken();
  const { variables } = content;
  const lacking = withoutOptions(content);
  const used = new Set(namesOf(content.prompt_content));
  const kept = variables.filter(({ name }) => declared.has(name));
  const change = (changed: Variable): void =>
    onChange(
      declared.has(changed.name) ? kept.map((one) => (one.name === changed.name ? changed : one)) : [...kept, changed],
    );
  const nothing = isPlain(content.syntax) ? t.prompts.variablesPlain : t.prompts.variablesNone;
  return (
    <Paper withBorder p="sm" component="section" aria-label={t.prompts.variables}>
      <Title order={2} size="h5" mb="xs">
        {t.prompts.variables}
      </Title>
      {lacking.length > 0 && (
        <Text size="sm" role="status">
          ⚠ {t.prompts.optionsMissing(lacking)}
        </Text>
      )}
      {error && <FailureNotice error={error} />}
      {variables.length === 0 && <Text size="sm">{nothing}</Text>}
      <Accordion keepMounted={false} order={3} chevronSize={14} variant="default">
        {variables.map((variable) => (
          <Accordion.Item key={variable.name} value={variable.name}>
            <Accordion.Control px={4} className="variable-row">
              <Summary variable={variable} isProposed={!declared.has(variable.name)} isUsed={used.has(variable.name)} />
            </Accordion.Control>
            <Accordion.Panel>
              <VariableEditor
                variable={variable}
                isReadOnly={isReadOnly}
                onChange={change}
                onRemove={
                  used.has(variable.name)
                    ? undefined
                    : () => onChange(kept.filter(({ name }) => name !== variable.name))
                }
              />
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </Paper>
  );
}
