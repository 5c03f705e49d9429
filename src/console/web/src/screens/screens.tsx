import { Skeleton } from '@mantine/core';
import { lazy, type ReactNode, Suspense } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { ModelsScreen } from './models/models-screen';
import { OverviewScreen } from './overview/overview-screen';

// Fetched when somebody goes there.
const PromptsScreen = lazy(() => import('./prompts/prompts-screen'));
const PromptScreen = lazy(() => import('./prompts/prompt-screen'));

export function Screens(): ReactNode {
  return (
    <Suspense fallback={<Skeleton height={240} />}>
      <Switch>
        <Route path="/" component={OverviewScreen} />
        <Route path="/models/:id?" component={ModelsScreen} />
        <Route path="/prompts" component={PromptsScreen} />
        <Route path="/prompts/new" component={PromptsScreen} />
        <Route path="/prompts/:id">{({ id }) => <PromptScreen key={id} id={id} />}</Route>
        <Route>
          <Redirect to="/" replace />
        </Route>
      </Switch>
    </Suspense>
  );
}
