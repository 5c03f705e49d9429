import { ActionIcon, AppShell, Burger, Button, Group, Menu, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { useSpoken } from '../language/language';
import type { Texts } from '../language/texts';
import { usePreferences } from '../preferences-context';
import { type Session, useSignOut } from '../session/session';
import { HealthBanner, HealthDot, useHealth } from './health';

export const MENU = [
  'overview',
  'models',
  'prompts',
  'playground',
  'statistics',
  'settings',
] as const satisfies (keyof Texts['menu'])[];

export const pathOf = (entry: (typeof MENU)[number]): string => (entry === 'overview' ? '/' : `/${entry}`);

function Navigation({ onChosen }: { onChosen: () => void }): ReactNode {
  const { t } = useSpoken();
  const [location] = useLocation();
  const isHere = (path: string): boolean => (path === '/' ? location === '/' : location.startsWith(path));
  return MENU.map((entry) => (
    <NavLink
      key={entry}
      component={Link}
      href={pathOf(entry)}
      label={t.menu[entry]}
      active={isHere(pathOf(entry))}
      aria-current={isHere(pathOf(entry)) ? 'page' : undefined}
      onClick={onChosen}
    />
  ));
}

function AppearanceMenu(): ReactNode {
  const { t } = useSpoken();
  const { preferences, change } = usePreferences();
  const names = { light: t.shell.themeLight, dark: t.shell.themeDark, auto: t.shell.themeAuto };
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={t.shell.theme}>
          ◐
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(['light', 'dark', 'auto'] as const).map((theme) => (
          <Menu.Item
            key={theme}
            onClick={() => change({ theme })}
            rightSection={preferences.theme === theme ? '✓' : null}
          >
            {names[theme]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function HeaderActions({ session }: { session: Session }): ReactNode {
  const { t, language } = useSpoken();
  const { change } = usePreferences();
  const signOut = useSignOut();
  const other = language === 'en' ? 'zh-CN' : 'en';
  return (
    <Group gap="xs" wrap="nowrap">
      <Button variant="default" onClick={() => change({ language: other })} aria-label={t.shell.language} lang={other}>
        {other === 'en' ? 'English' : '中文'}
      </Button>
      <AppearanceMenu />
      <Button variant="default" onClick={() => signOut.mutate()} title={session.token_id}>
        {t.shell.signOut}
      </Button>
    </Group>
  );
}

/** What is around every screen. */
export function Shell({ session, children }: { session: Session; children: ReactNode }): ReactNode {
  const { t } = useSpoken();
  const health = useHealth();
  const [isOpen, { toggle, close }] = useDisclosure();
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <a className="skip-link" href="#content">
        {t.shell.skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t.shell.openMenu} />
            <Text fw={700}>{t.product}</Text>
            <HealthDot health={health} />
          </Group>
          <HeaderActions session={session} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t.shell.navigation}>
        <Navigation onChosen={close} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <HealthBanner health={health} />
        {children}
      </AppShell.Main>
    </AppShell>
  );
}
