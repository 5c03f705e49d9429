import type { TestHub } from './hub.js';

export interface Route {
  method: string;
  /** As the router has it, such as `/api/v1/ai-models/configs/:id`. */
  path: string;
}

const LINE = /^((?:│ {3}| {4})*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/;
const INDENT = 4;

/** Every route of the running application, from the router itself: what is not in here cannot be reached. */
export const routesOf = (hub: TestHub): Route[] => {
  const fastify = hub.application.nest.getHttpAdapter().getInstance();
  const parents: string[] = [];
  const routes: Route[] = [];
  for (const line of fastify.printRoutes().split('\n').filter(Boolean)) {
    const [, indent, piece, methods] = LINE.exec(line) ?? [];
    if (indent === undefined || piece === undefined) throw new Error(`printRoutes: ${line} is not understood`);
    const depth = indent.length / INDENT;
    parents.length = depth;
    const path = parents.join('') + piece;
    parents.push(piece);
    for (const method of methods?.split(', ') ?? []) routes.push({ method, path });
  }
  return routes;
};

export const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
