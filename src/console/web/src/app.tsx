import {
  Center,
  Loader,
  MantineProvider,
  createTheme,
  type CSSVariablesResolver,
  type MantineColorScheme,
} from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { Router } from 'wouter';
import { ApiFailure } from './api/failure';
import { LanguageProvider } from './language/language';
import { nonce } from './nonce';
import { type Preferences, readPreferences, writePreferences } from './preferences';
import { PreferencesContext } from './preferences-context';
import { Screens } from './screens/screens';
import { SESSION_KEY, useSession } from './session/session';
import { SignIn } from './session/sign-in';
import { Shell } from './shell/shell';
import { FailureNotice } from './ui/failure-notice';

const theme = createTheme({
  fontFamily: 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  primaryColor: 'indigo',
  primaryShade: 8,
  autoContrast: true,
  respectReducedMotion: true,
});

/** Text that steps back, and still has enough contrast to be read. */
const readable: CSSVariablesResolver = ({ colors }) => ({
  variables: {},
  light: { '--mantine-color-dimmed': colors.gray[7], '--mantine-color-placeholder': colors.gray[7] },
  dark: { '--mantine-color-dimmed': colors.dark[1], '--mantine-color-placeholder': colors.dark[1] },
});

/** The page decides what is kept; the library would use the browser's storage. */
const schemeManager = (scheme: MantineColorScheme) => ({
  get: () => scheme,
  set: () => undefined,
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  clear: () => undefined,
});

const isFinal = (error: Error): boolean => error instanceof ApiFailure && error.status >= 400 && error.status < 500;

/** A session that is over shows the sign-in, wherever somebody is. */
const createQueries = (): QueryClient => {
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiFailure && error.status === 401) queries.setQueryData(SESSION_KEY, null);
      },
    }),
    defaultOptions: {
      queries: { retry: (count, error) => count < 2 && !isFinal(error), staleTime: 5000 },
    },
  });
  return queries;
};

function SignedIn(): ReactNode {
  const session = useSession();
  if (session.isPending) {
    return (
      <Center component="main" mih="100vh">
        <Loader aria-label="…" />
      </Center>
    );
  }
  if (session.error) {
    return (
      <Center component="main" mih="100vh" p="md">
        <FailureNotice error={session.error} retry={() => void session.refetch()} />
      </Center>
    );
  }
  if (!session.data) return <SignIn />;
  return (
    <Router base="/console">
      <Shell session={session.data}>
        <Screens />
      </Shell>
    </Router>
  );
}

export function App(): ReactNode {
  const [preferences, setPreferences] = useState(readPreferences);
  const queries = useMemo(createQueries, []);
  const context = useMemo(() => {
    const change = (changed: Partial<Preferences>): void => {
      const next = { ...preferences, ...changed };
      writePreferences(next);
      setPreferences(next);
    };
    return { preferences, change };
  }, [preferences]);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={readable}
      getStyleNonce={() => nonce}
      colorSchemeManager={schemeManager(preferences.theme)}
      forceColorScheme={preferences.theme === 'auto' ? undefined : preferences.theme}
      defaultColorScheme="auto"
    >
      <PreferencesContext value={context}>
        <LanguageProvider language={preferences.language}>
          <Notifications position="bottom-right" />
          <QueryClientProvider client={queries}>
            <SignedIn />
          </QueryClientProvider>
        </LanguageProvider>
      </PreferencesContext>
    </MantineProvider>
  );
}
