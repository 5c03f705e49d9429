import { Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';
import { Instances } from './instances';
import { Tokens } from './tokens';

export function SettingsScreen(): ReactNode {
  const { t } = useSpoken();
  return (
    <Stack gap="xl">
      <Title order={1} size="h2">
        {t.menu.settings}
      </Title>
      <Tokens />
      <Instances />
    </Stack>
  );
}
