import { Button, Checkbox, Fieldset, Group, NumberInput, Select, Stack, TagsInput, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';
import type { Variable, VariableType } from './prompt-content';
import { ValueField } from './value-field';

const TYPES = [
  'string',
  'text',
  'integer',
  'number',
  'boolean',
  'enum',
  'date',
  'string[]',
] as const satisfies VariableType[];

const isTextual = (type: VariableType): boolean => ['string', 'text', 'string[]'].includes(type);
const isNumeric = (type: VariableType): boolean => type === 'integer' || type === 'number';

/** Of another type the rules and the default mean nothing any more. */
const ofType = ({ name, required, description, sensitive }: Variable, type: VariableType): Variable => ({
  name,
  type,
  ...(required && { required }),
  ...(description && { description }),
  ...(sensitive && { sensitive }),
});

interface EditorProps {
  variable: Variable;
  isReadOnly: boolean;
  onChange: (variable: Variable) => void;
  /** Absent: the text uses it. */
  onRemove: (() => void) | undefined;
}

function Rules({ variable, onChange }: Pick<EditorProps, 'variable' | 'onChange'>): ReactNode {
  const { t } = useSpoken();
  const bound = (field: 'min' | 'max' | 'max_length', label: string): ReactNode => (
    <NumberInput
      size="xs"
      label={label}
      value={variable[field] ?? ''}
      onChange={(value) => onChange({ ...variable, [field]: typeof value === 'number' ? value : null })}
      hideControls
    />
  );
  return (
    <>
      {variable.type === 'enum' && (
        <TagsInput
          size="xs"
          label={t.prompts.options}
          description={t.prompts.optionsHint}
          value={variable.options ?? []}
          onChange={(options) => onChange({ ...variable, options })}
          required
        />
      )}
      {isNumeric(variable.type) && (
        <Group grow>
          {bound('min', t.prompts.min)}
          {bound('max', t.prompts.max)}
        </Group>
      )}
      {isTextual(variable.type) && bound('max_length', t.prompts.maxLength)}
    </>
  );
}

/** One declaration. */
export function VariableEditor({ variable, isReadOnly, onChange, onRemove }: EditorProps): ReactNode {
  const { t } = useSpoken();
  const flags = (['required', 'sensitive', 'untrusted'] as const).filter(
    (flag) => flag !== 'untrusted' || isTextual(variable.type),
  );
  return (
    <Fieldset variant="unstyled" disabled={isReadOnly} aria-label={t.prompts.editVariable(variable.name)}>
      <Stack gap="xs">
        <Select
          size="xs"
          label={t.prompts.type}
          data={TYPES.map((type) => ({ value: type, label: t.prompts.types[type] }))}
          value={variable.type}
          onChange={(type) => type && onChange(ofType(variable, type))}
          allowDeselect={false}
        />
        <TextInput
          size="xs"
          label={t.prompts.description}
          value={variable.description ?? ''}
          onChange={({ currentTarget: { value } }) => onChange({ ...variable, description: value || null })}
        />
        <Rules variable={variable} onChange={onChange} />
        <ValueField
          variable={{ ...variable, description: null }}
          size="xs"
          label={t.prompts.defaultValue}
          placeholder={t.prompts.noDefault}
          value={variable.default ?? undefined}
          onChange={(value) => onChange({ ...variable, default: value ?? null })}
        />
        {flags.map((flag) => (
          <Checkbox
            key={flag}
            size="xs"
            label={t.prompts[flag]}
            checked={variable[flag] === true}
            onChange={(event) => onChange({ ...variable, [flag]: event.currentTarget.checked })}
          />
        ))}
        {onRemove && (
          <Button size="compact-xs" variant="default" onClick={onRemove}>
            {t.prompts.remove}
          </Button>
        )}
      </Stack>
    </Fieldset>
  );
}
