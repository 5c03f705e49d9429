import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PathGate {
  readonly url: string;
  /** Cuts every connection that asks for such a path, now and from now on; null: lets all through again. */
  refuse(prefix: string | null): void;
  /** How many requests were cut. */
  refused(): number;
  close(): Promise<void>;
}

/**
 * Passes HTTP on to a server, but not all of it: below HTTP nobody can tell the stream that announces changes from the
 * requests that fetch them. A server that is away looks like a connection that breaks.
 */
export async function startPathGate(target: string): Promise<PathGate> {
  let refused: string | null = null;
  let count = 0;
  const open = new Set<IncomingMessage>();
  const isRefused = ({ url = '' }: IncomingMessage): boolean => refused !== null && url.startsWith(refused);
  const cut = (incoming: IncomingMessage): void => {
    count += 1;
    incoming.socket.destroy();
  };
  const server = createServer((incoming, response) => {
    if (isRefused(incoming)) return cut(incoming);
    open.add(incoming);
    response.on('close', () => open.delete(incoming));
    passOn(target, incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refuse: (prefix) => {
      refused = prefix;
      for (const incoming of open) if (isRefused(incoming)) cut(incoming);
    },
    refused: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const passOn = (target: string, incoming: IncomingMessage, response: ServerResponse): void => {
  const { method, headers } = incoming;
  const upstream = httpRequest(new URL(incoming.url ?? '/', target), { agent: false, method, headers }, (answer) => {
    const { connection: _ofThisHop, 'keep-alive': _too, ...passed } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, passed);
    response.flushHeaders();
    answer.on('error', () => incoming.socket.destroy());
    answer.pipe(response);
  });
  upstream.on('error', () => incoming.socket.destroy());
  response.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
};
