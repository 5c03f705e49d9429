import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { CallLine } from '../logging/access-log.js';
import type { Identity } from '../auth/identity.js';
import type { Span } from '../tracing/span.js';
import type { CallHandler, CallReply, CallRequest } from './call-exchange.js';

/** Who asks, when that is known at once and he may; null: somebody else has to look. */
export type Admit = (request: IncomingMessage) => Identity | null;

/** What the lane leaves to others. */
export interface DirectLaneTools {
  newRequestId: (request: IncomingMessage) => string;
  /** null: nothing is traced. */
  newSpan: ((request: IncomingMessage) => Span | null) | null;
  /** Answers a failure of a handler, and logs what an operator should see. */
  fail: (error: unknown, exchange: DirectExchange) => void;
  /** Every exchange once, when it is over. */
  over: (exchange: DirectExchange) => void;
}

interface Route {
  admit: Admit;
  handle: CallHandler;
}

/**
 * The way of a call that is in order past the framework, which costs more than all else the hub does for a call. Taken
 * are a POST to exactly the path of a call, with a JSON body of a told length, by somebody who may: whatever is unusual
 * or would be refused takes the common way, so that refusals are written once.
 */
export class DirectLane {
  private readonly routes = new Map<string, Route>();
  private tools: DirectLaneTools | null = null;

  constructor(private readonly maxBodyBytes: number) {}

  /** Opens the lane for a path such as `/v1/chat/completions`. */
  open(path: string, admit: Admit, handle: CallHandler): void {
    this.routes.set(path, { admit, handle });
  }

  use(tools: DirectLaneTools): void {
    this.tools = tools;
  }

  /** True: the request is taken care of. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const route = request.method === 'POST' ? this.routes.get(request.url ?? '') : undefined;
    if (!route || !this.tools) return false;
    const length = this.lengthOf(request.headers);
    if (length === null) return false;
    const identity = route.admit(request);
    if (!identity) return false;
    new DirectExchange(request, response, identity, this.tools).run(length, route.handle);
    return true;
  }

  /** null: not a body that the lane takes. */
  private lengthOf(headers: IncomingHttpHeaders): number | null {
    const { 'content-type': type, 'content-length': length } = headers;
    if (type !== 'application/json' && type !== 'application/json; charset=utf-8') return null;
    if (length === undefined || headers['content-encoding'] !== undefined || headers['expect'] !== undefined)
      return null;
    const bytes = Number(length);
    return bytes > 0 && bytes <= this.maxBodyBytes ? bytes : null;
  }
}

/** One request on the lane, and its answer. */
export class DirectExchange implements CallRequest, CallReply {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  rawBody: Buffer | undefined;
  call?: CallLine;
  readonly span: Span | null;
  private readonly startedAt = performance.now();

  constructor(
    private readonly request: IncomingMessage,
    readonly raw: ServerResponse,
    readonly identity: Identity,
    private readonly tools: DirectLaneTools,
  ) {
    this.id = tools.newRequestId(request);
    this.span = tools.newSpan && tools.newSpan(request);
    this.headers = request.headers;
  }

  get url(): string {
    return this.request.url ?? '/';
  }

  get method(): string {
    return this.request.method ?? '';
  }

  get elapsedTime(): number {
    return performance.now() - this.startedAt;
  }

  hijack(): void {
    // The answer is the handler's from the beginning.
  }

  /** Reads the body, then hands over. A caller who leaves before his body is there is owed nothing. */
  run(length: number, handle: CallHandler): void {
    const pieces: Buffer[] = [];
    let received = 0;
    // What the handler finds out when the caller leaves is in the line, too.
    this.raw.once('close', () => setImmediate(() => this.tools.over(this)));
    this.request.on('data', (piece: Buffer) => {
      pieces.push(piece);
      received += piece.length;
    });
    this.request.on('end', () => {
      const [only] = pieces;
      this.rawBody = pieces.length === 1 && only ? only : Buffer.concat(pieces, received);
      if (received === length) this.handOver(handle);
    });
    this.request.on('error', () => undefined);
  }

  private handOver(handle: CallHandler): void {
    handle(this, this).catch((error: unknown) => this.tools.fail(error, this));
  }
}
