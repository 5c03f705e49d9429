import { Alert, Code, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';
import type { TestResult } from './use-models';

/** What a connection test came to: the provider's own words, whole, and what to do about them. */
export function TestResultNotice({ result }: { result: TestResult }): ReactNode {
  const { t, duration } = useSpoken();
  if (result.status === 'success') {
    return (
      <Alert color="green" role="status" title={t.models.works(duration(result.response_time_ms))}>
        <Text size="sm">{result.message}</Text>
      </Alert>
    );
  }
  return (
    <Alert color="red" role="alert" title={t.models.fails(result.error_class ?? result.message)}>
      <Text size="sm">{result.message}</Text>
      {result.hint && (
        <Text size="sm" mt="xs">
          <strong>{t.models.whatToDo}</strong> {result.hint}
        </Text>
      )}
      {result.provider_message && (
        <>
          <Text size="sm" mt="xs" fw={700}>
            {t.models.providerSays}
            {result.provider_status === null ? '' : ` (HTTP ${result.provider_status})`}
          </Text>
          <Code block tabIndex={0}>
            {result.provider_message}
          </Code>
        </>
      )}
    </Alert>
  );
}
