import { Code, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, bodyOf } from '../../api/client';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';

/** The keys that secrets are stored under. They are changed by the command, where their file is. */
export function Keys(): ReactNode {
  const { t, number } = useSpoken();
  const found = useQuery({
    queryKey: ['encryption-keys'],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/v1/encryption-keys', { signal })),
  });
  return (
    <Stack component="section">
      <Title order={2} size="h4">
        {t.settings.keys}
      </Title>
      <Text size="sm">{t.settings.keysText}</Text>
      {found.error && <FailureNotice error={found.error} retry={() => void found.refetch()} />}
      {found.data && (
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t.settings.keyId}</Table.Th>
              <Table.Th scope="col">{t.settings.keyState}</Table.Th>
              <Table.Th scope="col">{t.settings.keyUses}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.data.keys.map((key) => (
              <Table.Tr key={key.id}>
                <Table.Th scope="row">
                  <Code>{key.id}</Code>
                </Table.Th>
                <Table.Td>
                  {key.active ? t.settings.keyActive : key.in_ring ? t.settings.keyOpens : t.settings.keyMissing}
                </Table.Td>
                <Table.Td>{number(Object.values(key.rows).reduce((sum, rows) => sum + rows, 0))}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}
