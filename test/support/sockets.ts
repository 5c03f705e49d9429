import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const listen = async (server: Server, port = 0): Promise<number> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
};

const close = (server: Server, sockets: Iterable<Socket>): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });

/** A port at which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await close(server, []);
  return port;
}

export interface Canary {
  url: string;
  /** How many connections were opened to it. */
  connections: () => number;
  close(): Promise<void>;
}

/** A place where nothing must ever arrive; it takes connections and says nothing. */
export async function startCanary(): Promise<Canary> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    connections: () => sockets.length,
    close: () => close(server, sockets),
  };
}

/** `open`: passes on; `cut`: refuses and breaks; `deaf`: requests get through, their answers are lost. */
export type Line = 'open' | 'cut' | 'deaf';

export interface TcpProxy {
  url: string;
  set(line: Line): void;
  /** Connections that were broken while their answer was on its way. */
  lostAnswers: () => number;
  close(): Promise<void>;
}

/** A wire that can be cut, in front of another server. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const open = new Set<Socket>();
  let line: Line = 'open';
  let lost = 0;
  const server = createServer((client) => {
    if (line === 'cut') {
      client.destroy();
      return;
    }
    const upstream = connect(Number(targetPort), hostname);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', (piece: Buffer) => {
      if (line === 'open') {
        client.write(piece);
      } else {
        lost += 1;
        client.destroy();
      }
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    set: (next) => {
      line = next;
      if (line === 'cut') for (const socket of open) socket.destroy();
    },
    lostAnswers: () => lost,
    close: () => close(server, open),
  };
}

/** Makes a unix socket reachable at a port. */
export async function startSocketProxy(port: number, path: string): Promise<{ close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(path);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  await listen(server, port);
  return { close: () => close(server, open) };
}
