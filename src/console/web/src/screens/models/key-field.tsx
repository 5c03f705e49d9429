import { Alert, Button, Group, PasswordInput, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';

interface KeyFieldProps {
  /** The end of the stored key; null: none is stored. */
  storedHint: string | null;
  isStored: boolean;
  /** The address changed: the stored key must not follow. */
  mustReplace: boolean;
  isReplacing: boolean;
  onReplacing: (isReplacing: boolean) => void;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}

/** The key: never shown again once it is stored, only replaced. */
export function KeyField(props: KeyFieldProps): ReactNode {
  const { t } = useSpoken();
  const { isStored, mustReplace, isReplacing, onReplacing } = props;
  if (isStored && !isReplacing && !mustReplace) {
    return (
      <Group justify="space-between">
        <Text size="sm">{t.form.keyStored(props.storedHint ?? '')}</Text>
        <Button size="xs" variant="default" onClick={() => onReplacing(true)}>
          {t.form.replaceKey}
        </Button>
      </Group>
    );
  }
  return (
    <>
      {isStored && mustReplace && <Alert color="orange">{t.form.keyAgain}</Alert>}
      <PasswordInput
        label={t.form.key}
        description={t.form.keyHint}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value)}
        autoComplete="new-password"
        error={props.error}
      />
      {isStored && !mustReplace && (
        <Button
          size="xs"
          variant="subtle"
          onClick={() => {
            props.onChange('');
            onReplacing(false);
          }}
        >
          {t.form.keepKey}
        </Button>
      )}
    </>
  );
}
