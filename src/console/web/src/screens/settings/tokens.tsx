import { Alert, Button, Checkbox, Code, Group, Modal, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, bodyOf, type Schemas } from '../../api/client';
import { useSpoken } from '../../language/language';
import { copyText } from '../../ui/copy-text';
import { FailureNotice } from '../../ui/failure-notice';

type Token = Schemas['TokenView'];

const TOKENS_KEY = ['tokens'];

const useTokens = () =>
  useQuery({
    queryKey: TOKENS_KEY,
    queryFn: ({ signal }) => bodyOf(api.GET('/api/v1/tokens', { params: { query: { limit: 200 } }, signal })),
  });

const useCreateToken = () => {
  const queries = useQueryClient();
  return useMutation({
    // The answer holds the token: it is not kept.
    gcTime: 0,
    mutationFn: (body: Schemas['TokenCreate']) => bodyOf(api.POST('/api/v1/tokens', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: TOKENS_KEY }),
  });
};

const useRevokeToken = () => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => void (await api.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: TOKENS_KEY }),
  });
};

function CreateToken({ onClose }: { onClose: () => void }): ReactNode {
  const { t } = useSpoken();
  const create = useCreateToken();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<string[]>(['invoke']);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate({ name, scopes: scopes as Schemas['Scope'][] });
  };
  return (
    <Modal opened onClose={onClose} title={t.settings.createToken} closeButtonProps={{ 'aria-label': t.common.close }}>
      {create.data ? (
        <Stack>
          <Alert color="orange">{t.settings.tokenOnce}</Alert>
          <Code block>{create.data.token}</Code>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => copyText(create.data.token, t.common.copied)}>
              {t.common.copy}
            </Button>
            <Button onClick={onClose}>{t.common.close}</Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={submit}>
          <Stack>
            <TextInput
              label={t.settings.tokenName}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              required
              data-autofocus
            />
            <Checkbox.Group label={t.settings.scopes} value={scopes} onChange={setScopes}>
              {Object.entries(t.settings.scopeNames).map(([scope, words]) => (
                <Checkbox key={scope} value={scope} label={words} mt="xs" />
              ))}
            </Checkbox.Group>
            {create.error && <FailureNotice error={create.error} />}
            <Button type="submit" loading={create.isPending} disabled={scopes.length === 0}>
              {t.settings.createToken}
            </Button>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }): ReactNode {
  const { t, ago } = useSpoken();
  return (
    <Table.Tr>
      <Table.Th scope="row">{token.name}</Table.Th>
      <Table.Td>
        <Code>{token.prefix}…</Code>
      </Table.Td>
      <Table.Td>{token.scopes.join(', ')}</Table.Td>
      <Table.Td>{ago(token.last_used_at)}</Table.Td>
      <Table.Td>
        {token.revoked_at === null ? (
          <Button size="xs" variant="default" onClick={onRevoke} aria-label={t.settings.revokeOne(token.name)}>
            {t.settings.revoke}
          </Button>
        ) : (
          <Text size="sm">{t.settings.revoked}</Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

/** API tokens: their text is shown once, and nowhere again. */
export function Tokens(): ReactNode {
  const { t } = useSpoken();
  const found = useTokens();
  const revoke = useRevokeToken();
  const [isCreating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const confirm = (): void => {
    if (revoking) revoke.mutate(revoking.id);
    setRevoking(null);
  };
  return (
    <Stack component="section">
      <Group justify="space-between">
        <Title order={2} size="h4">
          {t.settings.tokens}
        </Title>
        <Button onClick={() => setCreating(true)}>{t.settings.createToken}</Button>
      </Group>
      {found.error && <FailureNotice error={found.error} retry={() => void found.refetch()} />}
      {revoke.error && <FailureNotice error={revoke.error} />}
      {found.data && (
        <Table.ScrollContainer minWidth={600}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">{t.settings.tokenName}</Table.Th>
                <Table.Th scope="col">{t.settings.prefix}</Table.Th>
                <Table.Th scope="col">{t.settings.scopes}</Table.Th>
                <Table.Th scope="col">{t.models.lastUsed}</Table.Th>
                <Table.Td />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.data.tokens.map((token) => (
                <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {isCreating && <CreateToken onClose={() => setCreating(false)} />}
      <Modal
        opened={revoking !== null}
        onClose={() => setRevoking(null)}
        title={t.settings.revokeOne(revoking?.name ?? '')}
        closeButtonProps={{ 'aria-label': t.common.close }}
      >
        <Text mb="md">{t.settings.revokeText}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setRevoking(null)}>
            {t.common.cancel}
          </Button>
          <Button color="red" onClick={confirm}>
            {t.settings.revoke}
          </Button>
        </Group>
      </Modal>
    </Stack>
  );
}
