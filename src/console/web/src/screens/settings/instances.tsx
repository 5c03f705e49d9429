import { Stack, Table, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, bodyOf } from '../../api/client';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';

const EVERY_MILLISECONDS = 5000;

/** The processes of this hub, and whether each has the newest configuration. */
export function Instances(): ReactNode {
  const { t, ago } = useSpoken();
  const found = useQuery({
    queryKey: ['instances'],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/v1/instances', { signal })),
    refetchInterval: EVERY_MILLISECONDS,
  });
  return (
    <Stack component="section">
      <Title order={2} size="h4">
        {t.settings.instances}
      </Title>
      {found.error && <FailureNotice error={found.error} retry={() => void found.refetch()} />}
      {found.data && (
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t.settings.host}</Table.Th>
              <Table.Th scope="col">{t.settings.role}</Table.Th>
              <Table.Th scope="col">{t.settings.version}</Table.Th>
              <Table.Th scope="col">{t.settings.contact}</Table.Th>
              <Table.Th scope="col">{t.settings.isCurrent}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.data.instances.map((one) => (
              <Table.Tr key={one.id}>
                <Table.Th scope="row">{one.host}</Table.Th>
                <Table.Td>{one.role}</Table.Td>
                <Table.Td>{one.version}</Table.Td>
                <Table.Td>{ago(one.last_contact_at)}</Table.Td>
                <Table.Td>{one.is_current === null ? '–' : one.is_current ? t.common.yes : t.common.no}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}
