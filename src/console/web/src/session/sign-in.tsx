import { Alert, Button, Center, Paper, PasswordInput, Stack, Title } from '@mantine/core';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { ApiFailure } from '../api/failure';
import { useSpoken } from '../language/language';
import { FailureNotice } from '../ui/failure-notice';
import { takeSignInCode, useSignIn } from './session';

export function SignIn(): ReactNode {
  const { t } = useSpoken();
  const signIn = useSignIn();
  const [token, setToken] = useState('');
  const [isByLink, setByLink] = useState(false);
  const { mutate } = signIn;
  useEffect(() => {
    const code = takeSignInCode();
    if (code === null) return;
    setByLink(true);
    mutate({ code });
  }, [mutate]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setByLink(false);
    mutate({ token: token.trim() });
  };
  const isRefused = signIn.error instanceof ApiFailure && signIn.error.status === 401;
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder shadow="sm" p="xl" w="100%" maw={440}>
        <form onSubmit={submit}>
          <Stack>
            <Title order={1} size="h3">
              {t.product} · {t.signIn.title}
            </Title>
            <PasswordInput
              label={t.signIn.token}
              description={t.signIn.tokenHint}
              value={token}
              onChange={(event) => setToken(event.currentTarget.value)}
              autoComplete="current-password"
              required
              data-autofocus
            />
            {isRefused && (
              <Alert color="red" role="alert">
                {isByLink ? t.signIn.linkUsed : t.signIn.wrong}
              </Alert>
            )}
            {signIn.error && !isRefused && <FailureNotice error={signIn.error} />}
            <Button type="submit" loading={signIn.isPending}>
              {t.signIn.submit}
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
