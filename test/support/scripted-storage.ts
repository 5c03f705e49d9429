import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from './calls.js';
import { startHub, type TestHub } from './hub.js';

export interface StorageRequest {
  method: string;
  path: string;
  body: Json;
}

/** Answers the nth request (from 1) of a method and path. */
export type StorageScript = (response: ServerResponse, nth: number, request: StorageRequest) => void;

export interface ScriptedStorage {
  url: string;
  requests: StorageRequest[];
  /** What it does with a method and path such as `GET /internal/v1/snapshot`, counted from now on. */
  on(route: string, script: StorageScript): void;
  countOf: (route: string) => number;
  close(): Promise<void>;
}

const readJson = async (request: IncomingMessage): Promise<Json> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return JSON.parse(Buffer.concat(pieces).toString('utf8') || '{}') as Json;
};

/** A storage service that does what a test tells it; what it was not told, it answers with 503. */
export async function startScriptedStorage(): Promise<ScriptedStorage> {
  const scripts = new Map<string, { script: StorageScript; count: number }>();
  const requests: StorageRequest[] = [];
  const routeOf = ({ method, path }: StorageRequest): string => `${method} ${path.split('?', 1)[0]}`;
  const server = createServer((incoming, response) => {
    void readJson(incoming).then((body) => {
      const request = { method: incoming.method ?? '', path: incoming.url ?? '', body };
      requests.push(request);
      const found = scripts.get(routeOf(request));
      if (!found) return void response.writeHead(503).end();
      found.count += 1;
      return found.script(response, found.count, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    on: (route, script) => void scripts.set(route, { script, count: 0 }),
    countOf: (route) => scripts.get(route)?.count ?? 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An AI model service alone, in this process, with its storage service elsewhere. */
export const startCaller = (
  storage: Pick<TestHub, 'adminToken' | 'serviceToken' | 'database'>,
  storageUrl: string,
  env: Record<string, string> = {},
): Promise<TestHub> =>
  startHub({
    database: storage.database,
    env: {
      SERVICE_ROLE: 'ai-model',
      DATABASE_URL: undefined,
      ENCRYPTION_KEYS: undefined,
      ADMIN_TOKEN: storage.adminToken,
      STORAGE_SERVICE_TOKEN: storage.serviceToken,
      STORAGE_SERVICE_URL: storageUrl,
      ...env,
    },
  });
