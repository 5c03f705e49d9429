import { NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';
import type { PromptValue, Variable, VariableType } from './prompt-content';

interface ValueFieldProps {
  variable: Variable;
  label: string;
  /** undefined: no value. */
  value: PromptValue | undefined;
  onChange: (value: PromptValue | undefined) => void;
  required?: boolean;
  placeholder?: string | undefined;
  size?: 'xs';
}

const textOr = (text: string): string | undefined => (text === '' ? undefined : text);
const textOf = (value: PromptValue | undefined): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

function ListField({ variable, value, onChange, ...shared }: ValueFieldProps): ReactNode {
  const { t } = useSpoken();
  const entries = Array.isArray(value) ? value : [];
  return (
    <Textarea
      {...shared}
      description={variable.description || t.prompts.listHint}
      value={entries.join('\n')}
      onChange={({ currentTarget: { value: text } }) => onChange(text === '' ? undefined : text.split('\n'))}
      autosize
      minRows={2}
      maxRows={8}
    />
  );
}

function NumberField({ variable, value, onChange, ...shared }: ValueFieldProps): ReactNode {
  return (
    <NumberInput
      {...shared}
      description={variable.description}
      value={typeof value === 'number' ? value : ''}
      onChange={(number) => onChange(typeof number === 'number' ? number : undefined)}
      allowDecimal={variable.type === 'number'}
      hideControls
    />
  );
}

function ChoiceField({ variable, value, onChange, ...shared }: ValueFieldProps): ReactNode {
  const { t } = useSpoken();
  const isFlag = variable.type === 'boolean';
  const flags = [
    { value: 'true', label: t.common.yes },
    { value: 'false', label: t.common.no },
  ];
  return (
    <Select
      {...shared}
      description={variable.description}
      data={isFlag ? flags : [...new Set(variable.options)]}
      value={value === undefined ? null : String(value)}
      onChange={(chosen) => onChange(chosen === null ? undefined : isFlag ? chosen === 'true' : chosen)}
      clearable
    />
  );
}

function LongField({ variable, value, onChange, ...shared }: ValueFieldProps): ReactNode {
  return (
    <Textarea
      {...shared}
      description={variable.description}
      value={textOf(value)}
      onChange={(event) => onChange(textOr(event.currentTarget.value))}
      autosize
      maxRows={8}
    />
  );
}

function LineField({ variable, value, onChange, placeholder, ...shared }: ValueFieldProps): ReactNode {
  return (
    <TextInput
      {...shared}
      description={variable.description}
      placeholder={placeholder ?? (variable.type === 'date' ? '2026-01-31' : undefined)}
      value={textOf(value)}
      onChange={(event) => onChange(textOr(event.currentTarget.value))}
      autoComplete="off"
    />
  );
}

const FIELDS: Record<VariableType, (props: ValueFieldProps) => ReactNode> = {
  string: LineField,
  text: LongField,
  integer: NumberField,
  number: NumberField,
  boolean: ChoiceField,
  enum: ChoiceField,
  date: LineField,
  'string[]': ListField,
};

/** A field for a value of the type that was declared. */
export function ValueField(props: ValueFieldProps): ReactNode {
  const Field = FIELDS[props.variable.type];
  return <Field {...props} />;
}
