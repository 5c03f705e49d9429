import { Alert, Button, Code, Group, List, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import type { PromptContent, PromptValue, Variable } from './prompt-content';
import { isPlain } from './template-text';
import { type Checked, useRendered } from './use-check';
import { ValueField } from './value-field';

interface PreviewProps {
  content: PromptContent;
  checked: Checked;
  values: Record<string, PromptValue>;
  onValues: (values: Record<string, PromptValue>) => void;
  /** Absent: what is shown cannot be changed. */
  onExamples?: ((examples: Record<string, PromptValue>) => void) | undefined;
}

const placeholderOf = ({ default: standard }: Variable): string | undefined =>
  standard === undefined || standard === null ? undefined : String(standard);

/** Required ones that have neither a value nor a default: then there is nothing to ask the hub. */
const missingOf = ({ syntax, variables }: PromptContent, values: Record<string, PromptValue>): string[] =>
  isPlain(syntax)
    ? []
    : variables.flatMap(({ name, required, default: standard }) =>
        required && (standard ?? null) === null && values[name] === undefined ? [name] : [],
      );

/** Only values of variables that are declared: the form has no others. */
const valuesFor = (variables: Variable[], values: Record<string, PromptValue>): Record<string, PromptValue> =>
  Object.fromEntries(
    variables.flatMap(({ name }) => {
      const value = values[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );

function RenderedText({ content, checked, values }: PreviewProps): ReactNode {
  const { t, number } = useSpoken();
  // What was looked at, not what is typed meanwhile: values and text belong together.
  const looked = checked.content;
  const missing = missingOf(looked, values);
  const canRender = checked.isValid && missing.length === 0;
  const found = useRendered(looked, valuesFor(looked.variables, values), canRender);
  if (content.prompt_content === '') return null;
  if (checked.errors.length > 0) return <Text size="sm">{t.prompts.previewErrors}</Text>;
  if (missing.length > 0) return <Text size="sm">{t.prompts.previewMissing(missing)}</Text>;
  if (found.error instanceof ApiFailure && found.error.code === 'prompt_variables_invalid') {
    return (
      <Alert color="orange" p="xs" role="status">
        <Text size="sm">{t.prompts.previewFill}</Text>
        <List size="sm">
          {found.error.fields.map(({ field, message }) => (
            <List.Item key={field + message}>{message}</List.Item>
          ))}
        </List>
      </Alert>
    );
  }
  if (found.error) return <FailureNotice error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return null;
  const { text, characters, token_estimate, warnings } = found.data;
  return (
    <>
      <Code block className="rendered-text" tabIndex={0} role="region" aria-label={t.prompts.preview}>
        {text || t.prompts.previewEmpty}
      </Code>
      <Text size="xs" className="numbers">
        {t.prompts.characters(number(characters))} · {t.prompts.tokens(number(token_estimate))}
      </Text>
      {warnings
        .filter(({ code }) => code !== 'unused_variable')
        .map(({ code, name, message }) => (
          <Text size="xs" key={code + name}>
            {message}
          </Text>
        ))}
    </>
  );
}

/** What a model would get, with the values that are typed here. */
export function PreviewPanel(props: PreviewProps): ReactNode {
  const { content, values, onValues, onExamples } = props;
  const { t } = useSpoken();
  const variables = isPlain(content.syntax) ? [] : content.variables;
  const change = (name: string, value: PromptValue | undefined): void => {
    const { [name]: _before, ...others } = values;
    onValues(value === undefined ? others : { ...others, [name]: value });
  };
  const harmless = variables.filter(({ sensitive }) => !sensitive);
  return (
    <Paper withBorder p="sm" component="section" aria-label={t.prompts.preview}>
      <Stack gap="xs">
        <Title order={2} size="h5">
          {t.prompts.preview}
        </Title>
        <RenderedText {...props} />
        {variables.map((variable) => (
          <ValueField
            key={variable.name + variable.type}
            variable={variable}
            label={variable.name}
            value={values[variable.name]}
            onChange={(value) => change(variable.name, value)}
            required={variable.required === true}
            placeholder={placeholderOf(variable)}
          />
        ))}
        {onExamples && harmless.length > 0 && (
          <Group>
            <Button
              size="compact-xs"
              variant="default"
              title={t.prompts.examplesKept}
              onClick={() => onExamples(valuesFor(harmless, values))}
            >
              {t.prompts.useAsExamples}
            </Button>
          </Group>
        )}
      </Stack>
    </Paper>
  );
}
