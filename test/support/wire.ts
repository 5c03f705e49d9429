import { connect } from 'node:net';

/** What a server said on a connection, and whether it ended it. */
export interface WireAnswer {
  text: string;
  /** Statuses in the order of their answers. */
  statuses: number[];
  isClosed: boolean;
  milliseconds: number;
}

const STATUS_LINE = /HTTP\/1\.1 (\d{3}) /g;

interface Patience {
  /** Silence after which a connection that is kept open counts as answered. */
  quietMilliseconds?: number;
  /** Whatever happens, this is the end. */
  limitMilliseconds?: number;
  /** The caller's half is closed behind the bytes. */
  ends?: boolean;
}

/** Writes bytes to a server as they are, in these pieces, and listens until it hangs up or says no more. */
export const speak = (
  url: string,
  pieces: readonly (string | Buffer)[],
  { quietMilliseconds = 400, limitMilliseconds = 10_000, ends = false }: Patience = {},
): Promise<WireAnswer> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const startedAt = performance.now();
    const socket = connect(Number(port), hostname);
    const received: Buffer[] = [];
    let quiet: NodeJS.Timeout | undefined;
    const finish = (isClosed: boolean): void => {
      clearTimeout(quiet);
      clearTimeout(limit);
      socket.destroy();
      const text = Buffer.concat(received).toString('latin1');
      const statuses = [...text.matchAll(STATUS_LINE)].map(([, status]) => Number(status));
      resolve({ text, statuses, isClosed, milliseconds: performance.now() - startedAt });
    };
    const limit = setTimeout(() => finish(false), limitMilliseconds);
    socket.on('error', () => undefined);
    socket.on('close', () => finish(true));
    socket.on('data', (piece) => {
      received.push(piece);
      clearTimeout(quiet);
      quiet = setTimeout(() => finish(false), quietMilliseconds);
    });
    for (const piece of pieces) socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    if (ends) socket.end();
  });
