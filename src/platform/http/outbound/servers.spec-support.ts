// Real servers for the specs of this folder.
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';

/** Counts every TCP connection, even one that says nothing. */
export interface Canary {
  readonly port: number;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** A running HTTP server on 127.0.0.1. */
export interface TestServer {
  readonly origin: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Listens on one port of 127.0.0.1, 127.0.0.2 and, where the machine has it, ::1. */
export async function startCanary(): Promise<Canary> {
  let connections = 0;
  const open = (): TcpServer =>
    createTcpServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).destroy();
    });
  const servers = [open(), open(), open()];
  const port = await listen(servers[0]!, '127.0.0.1', 0);
  await listen(servers[1]!, '127.0.0.2', port);
  await listen(servers[2]!, '::1', port).catch(() => 0);
  return {
    port,
    connections: () => connections,
    close: async () => {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** Starts an HTTP server that answers with `listener`. */
export async function startServer(listener: RequestListener): Promise<TestServer> {
  const server: Server = createHttpServer(listener);
  const port = await listen(server, '127.0.0.1', 0);
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: TcpServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
