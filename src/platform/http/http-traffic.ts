import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors/app-error.js';
import { answerFor } from '../errors/error-answers.js';
import { scrub } from '../logging/scrub.js';

interface Connection {
  readonly socket: Socket;
  readonly openedAt: number;
  /** In the order of their requests: a client need not wait for one before it sends the next. */
  readonly open: Set<ServerResponse>;
  /** Bytes received when the last answer was out: more of them are the beginning of a request. */
  answeredBytes: number;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Who connects means to send something: its first bytes may be on their way. */
const FIRST_BYTES_MILLISECONDS = 1000;
/** So long without a new connection, and those who would open one wait for their answers. */
const QUIET_MILLISECONDS = 10;
const MOST_HELD_MILLISECONDS = 150;
const LOOK_MILLISECONDS = 2;
const MOST_DESCRIBED = 5;

/**
 * The connections of this process's HTTP servers, and the requests on them that have no complete answer yet, so that
 * the end of the process takes none from anybody.
 */
export class HttpTraffic {
  private readonly servers: Server[] = [];
  private readonly connections = new Map<Socket, Connection>();
  private isLeaving = false;
  private opened = 0;
  private lastOpenedAt = 0;
  /** Requests that wait a moment for the listeners to close; null: none has to. */
  private held: (() => void)[] | null = null;

  createServer(options: ServerOptions, handle: Listener): Server {
    const server = createServer(options, (request, response) => {
      if (!this.begin(request, response)) return;
      if (this.held) this.held.push(() => handle(request, response));
      else handle(request, response);
    });
    server.on('connection', (socket: Socket) => this.follow(socket));
    server.on('timeout', (socket: Socket) => this.endStalled(socket));
    // Node's own takes a connection for idle while the end of an answer still waits in its buffer, and cuts it; it is
    // called whenever a server is closed.
    server.closeIdleConnections = () => void this.closeIdle();
    this.servers.push(server);
    return server;
  }

  get openConnections(): number {
    return this.connections.size;
  }

  get openRequests(): number {
    return this.responses().length;
  }

  /** The first few requests without a complete answer, such as `POST /v1/chat/completions`. */
  describeOpen(): string[] {
    return this.responses()
      .slice(0, MOST_DESCRIBED)
      .map(({ req }) => `${req.method ?? ''} ${scrub(pathOf(req))}`);
  }

  /** From now on every answer ends its connection, so that clients go elsewhere with their next request. */
  leave(): void {
    this.isLeaving = true;
    for (const connection of this.connections.values()) markLast(connection);
  }

  /**
   * Takes no new connections. One that the system has accepted and we have not would be lost with its listener, so
   * answers are held back for a moment: whoever has none yet does not come again, and the listeners close while nobody
   * comes. Whoever comes later is refused, and can know that nothing was done.
   */
  async stopListening(): Promise<void> {
    if (!this.servers.some(({ listening }) => listening)) return;
    this.held ??= [];
    await this.quietMoment();
    for (const server of this.servers) if (server.listening) server.close();
    const held = this.held;
    this.held = null;
    for (const handle of held) handle();
  }

  /** Closes the connections on which nothing is asked or owed. */
  async closeIdle(): Promise<void> {
    // Behind the turn in which all that has arrived was read: a request that is here already is not idleness.
    await setImmediate();
    for (const connection of this.connections.values()) if (isIdle(connection)) connection.socket.destroy();
  }

  /** Tells everybody whose answer has not begun that there will be none; answers how many. */
  refuseUnanswered(): number {
    const unanswered = this.responses().filter(({ headersSent }) => !headersSent);
    for (const response of unanswered) refuse(response);
    return unanswered.length;
  }

  /** Cuts what is open; answers how many requests that took the answer from. */
  cut(): number {
    const cut = this.openRequests;
    for (const { socket } of this.connections.values()) socket.destroy();
    return cut;
  }

  private async quietMoment(): Promise<void> {
    const since = performance.now();
    const mayWait = (): boolean => performance.now() - since < MOST_HELD_MILLISECONDS;
    const isQuiet = (): boolean => performance.now() - Math.max(this.lastOpenedAt, since) > QUIET_MILLISECONDS;
    while (!isQuiet() && mayWait()) await sleep(LOOK_MILLISECONDS);
    // A turn of the event loop takes one connection, and a machine that is busy lets some wait: until a turn takes none.
    for (let opened = -1; opened !== this.opened && mayWait();) {
      opened = this.opened;
      await setImmediate();
    }
  }

  private responses(): ServerResponse[] {
    return [...this.connections.values()].flatMap(({ open }) => [...open]);
  }

  private follow(socket: Socket): void {
    this.opened += 1;
    this.lastOpenedAt = performance.now();
    this.connections.set(socket, { socket, openedAt: this.lastOpenedAt, open: new Set(), answeredBytes: 0 });
    socket.once('close', () => this.connections.delete(socket));
  }

  /**
   * Nothing went either way for `server.timeout`. Who waits for an answer of which there is nothing yet may wait on; who
   * does not take what is there for him would keep it in memory for ever.
   */
  private endStalled(socket: Socket): void {
    const isWaiting = (this.connections.get(socket)?.open.size ?? 0) > 0;
    if (!isWaiting || socket.writableLength > 0) socket.destroy();
  }

  /** False: the last answer of this connection is on its way, and by HTTP nothing behind it is to be done. */
  private begin({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.connections.get(socket);
    if (!connection) return true;
    if (this.isLeaving && [...connection.open].some(isLastSent)) return false;
    connection.open.add(response);
    response.once('close', () => {
      connection.open.delete(response);
      connection.answeredBytes = socket.bytesRead;
    });
    if (this.isLeaving) markLast(connection);
    return true;
  }
}

const pathOf = ({ url }: IncomingMessage): string => (url ?? '/').split('?', 1)[0] ?? '/';

const isLastSent = ({ headersSent, shouldKeepAlive }: ServerResponse): boolean => headersSent && !shouldKeepAlive;

/** `Connection: close` goes with the last of the answers that have not begun: those behind it would be lost. */
const markLast = ({ open }: Connection): void => {
  const unsent = [...open].filter(({ headersSent }) => !headersSent);
  for (const response of unsent) response.shouldKeepAlive = response !== unsent.at(-1);
};

const isIdle = ({ socket, open, answeredBytes, openedAt }: Connection): boolean =>
  open.size === 0 &&
  socket.bytesRead === answeredBytes &&
  (answeredBytes > 0 || performance.now() - openedAt > FIRST_BYTES_MILLISECONDS);

const refuse = (response: ServerResponse): void => {
  const error = new AppError('shutting_down');
  const requestId = String(response.getHeader('x-request-id') ?? randomUUID());
  const { contentType, body } = answerFor(error, pathOf(response.req), requestId);
  const text = JSON.stringify(body);
  // Closing under a client who is still sending would take the answer from him, too.
  if (!response.req.complete) response.shouldKeepAlive = true;
  response.writeHead(error.status, {
    'x-request-id': requestId,
    'content-type': contentType,
    'cache-control': 'no-store',
    'retry-after': '1',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
};
