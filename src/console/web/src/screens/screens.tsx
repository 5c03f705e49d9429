import { Skeleton } from '@mantine/core';
import { lazy, type ReactNode, Suspense } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { ModelsScreen } from './models/models-screen';
import { OverviewScreen } from './overview/overview-screen';

const PlaygroundScreen = lazy(async () => ({
  default: (await import('./playground/playground-screen')).PlaygroundScreen,
}));
const StatisticsScreen = lazy(async () => ({
  default: (await import('./statistics/statistics-screen')).StatisticsScreen,
}));
const SettingsScreen = lazy(async () => ({ default: (await import('./settings/settings-screen')).SettingsScreen }));
const PromptsScreen = lazy(() => import('./prompts/prompts-screen'));
const PromptScreen = lazy(() => import('./prompts/prompt-screen'));

export function Screens(): ReactNode {
  return (
    <Suspense fallback={<Skeleton height={400} />}>
      <Switch>
        <Route path="/" component={OverviewScreen} />
        <Route path="/models/:id?" component={ModelsScreen} />
        <Route path="/prompts" component={PromptsScreen} />
        <Route path="/prompts/new" component={PromptsScreen} />
        <Route path="/prompts/:id">{({ id }) => <PromptScreen key={id} id={id} />}</Route>
        <Route path="/playground" component={PlaygroundScreen} />
        <Route path="/statistics" component={StatisticsScreen} />
        <Route path="/settings/:section?" component={SettingsScreen} />
        <Route>
          <Redirect to="/" replace />
        </Route>
      </Switch>
    </Suspense>
  );
}
