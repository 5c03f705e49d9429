import type { ReactNode } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { ModelsScreen } from './models/models-screen';
import { OverviewScreen } from './overview/overview-screen';

export function Screens(): ReactNode {
  return (
    <Switch>
      <Route path="/" component={OverviewScreen} />
      <Route path="/models/:id?" component={ModelsScreen} />
      <Route>
        <Redirect to="/" replace />
      </Route>
    </Switch>
  );
}
