import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from './chaos.js';

/** `open`: passes on; `down`: refuses and breaks; `silent`: half-open, nothing passes; `deaf`: answers are lost. */
export type Line = 'open' | 'down' | 'silent' | 'deaf';

export interface Faults {
  line: Line;
  /** Each way, before a piece is passed on. */
  latencyMs: number;
  /** At most so much more, by the seed. */
  jitterMs: number;
  /** Of each connection and way; 0: as fast as it comes. */
  bytesPerSecond: number;
  /** Pieces of 1 to so many bytes; 0: as they come. */
  sliceBytes: number;
  /** RST once so many bytes of answers have passed in a connection; 0: never. */
  resetAfterBytes: number;
  /** RST instead of passing on the piece of a request with this text in it; '': never. */
  cutAtRequest: string;
  /** The same of an answer: what it tells of has been done. */
  cutAtAnswer: string;
}

export interface FaultProxy {
  readonly url: string;
  readonly port: number;
  /** Open now. */
  connections(): number;
  /** Ever. */
  opened(): number;
  /** For open and new connections; what is not named stays as it is. */
  set(faults: Partial<Faults>): void;
  /** RST to everybody. */
  reset(): void;
  close(): Promise<void>;
}

/** `http://host:port`, or a unix socket. */
export type Target = string | { path: string };

const NO_FAULTS: Faults = {
  line: 'open',
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: 0,
  sliceBytes: 0,
  resetAfterBytes: 0,
  cutAtRequest: '',
  cutAtAnswer: '',
};

const LOOK_MILLISECONDS = 20;

const dial = (target: Target): Socket => {
  if (typeof target !== 'string') return connect(target.path);
  const { hostname, port } = new URL(target);
  return connect(Number(port), hostname);
};

/** One connection through the proxy: two wires, both under the faults of the moment. */
class Passage {
  private answered = 0;
  private isOver = false;

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket,
    private readonly faults: Readonly<Faults>,
    private readonly random: () => number,
  ) {
    void this.pass(client, upstream, false);
    void this.pass(upstream, client, true);
  }

  cut(): void {
    this.isOver = true;
    this.client.resetAndDestroy();
    // A unix socket knows no RST.
    if (this.upstream.remoteFamily === undefined) this.upstream.destroy();
    else this.upstream.resetAndDestroy();
  }

  private async pass(from: Socket, to: Socket, isAnswer: boolean): Promise<void> {
    try {
      for await (const piece of from)
        for (const slice of this.slices(piece as Buffer)) await this.send(slice, to, isAnswer);
      if (!to.destroyed) to.end();
    } catch {
      // Either side broke; so does the other.
      to.destroy();
    }
  }

  private *slices(piece: Buffer): Generator<Buffer> {
    for (let at = 0; at < piece.length;) {
      const { sliceBytes } = this.faults;
      const length = sliceBytes === 0 ? piece.length : 1 + Math.floor(this.random() * sliceBytes);
      yield piece.subarray(at, at + length);
      at += length;
    }
  }

  private async send(slice: Buffer, to: Socket, isAnswer: boolean): Promise<void> {
    const { latencyMs, jitterMs, bytesPerSecond } = this.faults;
    const drip = bytesPerSecond === 0 ? 0 : (slice.length / bytesPerSecond) * 1000;
    const wait = latencyMs + this.random() * jitterMs + drip;
    if (wait >= 1) await sleep(wait);
    // What was on the wire when it went silent arrives when it is open again, as with TCP.
    while (!this.isOver && this.faults.line === 'silent') await sleep(LOOK_MILLISECONDS);
    if (isAnswer && this.faults.line === 'deaf') return this.cut();
    if (isAnswer && this.isToBeReset(slice)) return this.cut();
    const fatal = isAnswer ? this.faults.cutAtAnswer : this.faults.cutAtRequest;
    if (fatal !== '' && slice.includes(fatal)) return this.cut();
    if (!to.destroyed && !to.write(slice)) await drained(to);
  }

  private isToBeReset({ length }: Buffer): boolean {
    this.answered += length;
    const { resetAfterBytes } = this.faults;
    return resetAfterBytes > 0 && this.answered > resetAfterBytes;
  }
}

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    for (const event of ['drain', 'close']) socket.once(event, () => resolve());
  });

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });

/** A wire with faults in front of a server; below HTTP, so that it can stand before PostgreSQL and Redis too. */
export async function startFaultProxy(
  target: Target,
  { port = 0, seed = 1 }: { port?: number; seed?: number } = {},
): Promise<FaultProxy> {
  const faults: Faults = { ...NO_FAULTS };
  const random = randomFrom(seed);
  const passages = new Set<Passage>();
  let opened = 0;
  const cutAll = (): void => {
    for (const passage of passages) passage.cut();
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    opened += 1;
    client.on('error', () => undefined);
    if (faults.line === 'down') {
      client.resetAndDestroy();
      return;
    }
    const upstream = dial(target);
    upstream.on('error', () => undefined);
    const passage = new Passage(client, upstream, faults, random);
    passages.add(passage);
    client.on('close', () => {
      passages.delete(passage);
      upstream.destroy();
    });
  });
  await listen(server, port);
  const { port: listening } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${listening}`,
    port: listening,
    connections: () => passages.size,
    opened: () => opened,
    set: (next) => {
      Object.assign(faults, next);
      if (faults.line === 'down') cutAll();
    },
    reset: cutAll,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cutAll();
      }),
  };
}
