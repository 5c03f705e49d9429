import { Stack, Tabs, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';
import { useSpoken } from '../../language/language';
import { Changes } from './changes';
import { Instances } from './instances';
import { Keys } from './keys';
import { Tokens } from './tokens';
import { Transfer } from './transfer';

const SECTIONS = ['tokens', 'instances', 'keys', 'transfer', 'changes'] as const;
type Section = (typeof SECTIONS)[number];

const CONTENT: Record<Section, () => ReactNode> = {
  tokens: Tokens,
  instances: Instances,
  keys: Keys,
  transfer: Transfer,
  changes: Changes,
};

/** Each section has an address of its own. */
export function SettingsScreen({ params }: { params: { section?: string | undefined } }): ReactNode {
  const { t } = useSpoken();
  const [, navigate] = useLocation();
  const chosen = SECTIONS.find((section) => section === params.section) ?? 'tokens';
  const Content = CONTENT[chosen];
  return (
    <Stack>
      <Title order={1} size="h2">
        {t.menu.settings}
      </Title>
      <Tabs value={chosen} onChange={(section) => section && navigate(`/settings/${section}`)} keepMounted={false}>
        <Tabs.List>
          {SECTIONS.map((section) => (
            <Tabs.Tab key={section} value={section}>
              {t.settings.sections[section]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={chosen} pt="md">
          <Content />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
