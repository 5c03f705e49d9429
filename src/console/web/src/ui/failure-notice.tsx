import { Alert, Button, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiFailure } from '../api/failure';
import { useSpoken } from '../language/language';

/** What went wrong, in words, with the id that finds it in the log, and another try where that may help. */
export function FailureNotice({ error, retry }: { error: Error; retry?: () => void }): ReactNode {
  const { t } = useSpoken();
  const { status = 0, requestId = null } = error instanceof ApiFailure ? error : {};
  const words = status === 403 ? t.failure.forbidden : status === 503 ? t.failure.unavailable : error.message;
  return (
    <Alert color="red" title={t.failure.title} role="alert">
      <Text size="sm">{words}</Text>
      {error instanceof ApiFailure &&
        error.fields.map(({ field, message }) => (
          <Text size="sm" key={field + message}>
            {message}
          </Text>
        ))}
      <Group mt="xs" gap="md">
        {requestId !== null && (
          <Text size="xs" ff="monospace">
            {t.failure.requestId(requestId)}
          </Text>
        )}
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            {t.common.retry}
          </Button>
        )}
      </Group>
    </Alert>
  );
}
