import { createServer, type AddressInfo, type Socket } from 'node:net';

/** What a provider does with the connection of a request it has read; bytes, not HTTP. */
export type Fault = (socket: Socket) => void | Promise<void>;

export interface FaultServer {
  /** For `api_base`. */
  url: string;
  /** How often a request has arrived. */
  requests: () => number;
  close(): Promise<void>;
}

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)\r\n/i;

/** The whole request is there: its head, and as many bytes as it announced. */
const isWhole = (received: string): boolean => {
  const end = received.indexOf('\r\n\r\n');
  return end !== -1 && received.length >= end + 4 + Number(CONTENT_LENGTH.exec(received)?.[1] ?? 0);
};

/** A provider below HTTP: it reads a request and then does what no server library would. */
export async function startFaultServer(fault: Fault): Promise<FaultServer> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    let received = '';
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (piece) => {
      received += piece.toString('latin1');
      if (!isWhole(received)) return;
      received = '';
      requests += 1;
      void fault(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
