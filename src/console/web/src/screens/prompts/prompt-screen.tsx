import './prompts.css';
import { Alert, Button, Skeleton, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { ApiFailure } from '../../api/failure';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { usePrompt } from './use-prompts';
import { Workplace } from './workplace';

/** One prompt: its versions, its text, what its variables make of it. */
export default function PromptScreen({ id }: { id: string }): ReactNode {
  const { t } = useSpoken();
  const found = usePrompt(id);
  if (found.data) return <Workplace prompt={found.data} />;
  if (found.error instanceof ApiFailure && [400, 404].includes(found.error.status)) {
    return (
      <Alert color="red" role="alert">
        <Text mb="sm">{t.prompts.notFound}</Text>
        <Button component={Link} href="/prompts" variant="default">
          {t.prompts.back}
        </Button>
      </Alert>
    );
  }
  if (found.error) return <FailureNotice error={found.error} retry={() => void found.refetch()} />;
  return <Skeleton height={480} aria-label={t.common.loading} />;
}
