import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { CancelSignal } from './cancel-signal.js';
import { abortError, exchangeError, OutboundError } from './outbound-error.js';

/** Headers of an answer, names in lower case. */
export type OutboundResponseHeaders = Record<string, string | string[] | undefined>;

/** The head of an answer and its body, which must be read to its end or destroyed. */
export interface OutboundResponse {
  readonly status: number;
  readonly headers: OutboundResponseHeaders;
  /** Fails only with an OutboundError. Destroying it ends the upstream connection. */
  readonly body: Readable;
}

/** The head of an answer and its whole body. */
export interface WholeResponse {
  readonly status: number;
  readonly headers: OutboundResponseHeaders;
  readonly body: Buffer;
}

type Controller = Dispatcher.DispatchController;

interface ResponseHead {
  readonly status: number;
  readonly headers: OutboundResponseHeaders;
}

/** What takes the bytes of an answer. */
export interface BodySink {
  /** False: hold the upstream back. */
  push(chunk: Buffer): boolean;
  complete(): void;
  destroy(error: OutboundError): void;
}

/** What a sink needs of its exchange. */
export interface ExchangeControls<Answer> {
  readonly controller: Controller;
  /** The body is over, well or not. */
  readonly finish: () => void;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: OutboundError) => void;
}

/** Opens the sink for an answer whose head has arrived, and settles the exchange now or when the body is there. */
export type OpenSink<Answer> = (head: ResponseHead, controls: ExchangeControls<Answer>) => BodySink;

/**
 * One request and its answer, as undici's handler. Ours instead of `agent.request()`, because that one leaves an aborted
 * request waiting until its connection is there, cannot say whether bytes were sent, and gives raw errors to the body.
 * Once it is over it holds nothing: undici keeps finished requests for a while, and whole calls that hang on them outlive
 * the young part of the heap, where collecting them costs next to nothing.
 */
export class OutboundExchange<Answer> implements Dispatcher.DispatchHandler {
  readonly response: Promise<Answer>;
  private resolve: ((answer: Answer) => void) | null = null;
  private reject: ((error: OutboundError) => void) | null = null;
  private controller: Controller | null = null;
  private body: BodySink | null = null;
  private timer: NodeJS.Timeout | undefined;
  private isOver = false;

  constructor(
    private open: OpenSink<Answer> | null,
    private signal: CancelSignal | null,
    firstByteTimeoutMilliseconds: number | undefined,
  ) {
    this.response = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    signal?.addEventListener('abort', this.onAbort);
    if (firstByteTimeoutMilliseconds !== undefined) {
      this.timer = setTimeout(this.onFirstByteTimeout, firstByteTimeoutMilliseconds);
    }
  }

  /** Ends the exchange wherever it stands; the connection goes with it. */
  fail(error: OutboundError): void {
    if (this.body) {
      this.body.destroy(error);
    } else if (!this.isOver) {
      const { reject, controller } = this;
      this.finish();
      reject?.(error);
      controller?.abort(error);
    }
  }

  onRequestStart(controller: Controller): void {
    if (this.isOver) {
      // Ended while it waited for a connection. Throwing drops the request; abort() would end the good connection too.
      throw new OutboundError('aborted', 'The call ended before it was sent.', { beforeBytesWereSent: true });
    }
    this.controller = controller;
  }

  onResponseStart(controller: Controller, status: number, headers: OutboundResponseHeaders): void {
    if (status < 200) {
      return; // 100 and 103 come before the answer
    }
    clearTimeout(this.timer);
    const error = unacceptable(status, headers);
    if (error) {
      this.fail(error);
      return;
    }
    const { open, finish, resolve, reject } = this;
    if (open && resolve && reject) this.body = open({ status, headers }, { controller, finish, resolve, reject });
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.body?.push(chunk) === false) {
      controller.pause();
    }
  }

  onResponseEnd(): void {
    this.body?.complete();
  }

  onResponseError(_controller: Controller, failure: Error): void {
    this.fail(exchangeError(failure, this.controller === null));
  }

  private readonly onAbort = (): void => {
    this.fail(abortError(this.signal?.reason, this.controller === null));
  };

  private readonly onFirstByteTimeout = (): void => {
    const details = { beforeBytesWereSent: this.controller === null };
    this.fail(new OutboundError('timeout', 'The answer did not begin in time.', details));
  };

  private readonly finish = (): void => {
    this.isOver = true;
    clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this.onAbort);
    this.letGo();
  };

  private letGo(): void {
    this.open = null;
    this.signal = null;
    this.resolve = null;
    this.reject = null;
    this.controller = null;
    this.body = null;
  }
}

/** For an answer that is read as it comes: settles with its head. */
export const asStream: OpenSink<OutboundResponse> = (head, { controller, finish, resolve }) => {
  const body = new ResponseBody(controller, finish);
  resolve({ ...head, body });
  return body;
};

/** For an answer that is read whole, up to a limit: no stream in between, since most calls are of this kind. */
export const asWhole =
  (limitBytes: number): OpenSink<WholeResponse> =>
  (head, controls) =>
    new BodyCollector(head, controls, limitBytes);

class BodyCollector implements BodySink {
  private chunks: Buffer[] = [];
  private length = 0;

  /** `controls` are null once the answer is over. */
  constructor(
    private readonly head: ResponseHead,
    private controls: ExchangeControls<WholeResponse> | null,
    private readonly limitBytes: number,
  ) {}

  push(chunk: Buffer): boolean {
    if (!this.controls) return true;
    this.length += chunk.length;
    this.chunks.push(chunk);
    if (this.length > this.limitBytes) this.destroy(tooLarge(this.limitBytes));
    return true;
  }

  complete(): void {
    const { chunks, length } = this;
    const controls = this.end();
    const [only] = chunks;
    const body = chunks.length === 1 && only ? only : Buffer.concat(chunks, length);
    controls?.resolve({ ...this.head, body });
  }

  destroy(error: OutboundError): void {
    const controls = this.end();
    controls?.reject(error);
    controls?.controller.abort(error);
  }

  private end(): ExchangeControls<WholeResponse> | null {
    const { controls } = this;
    this.controls = null;
    this.chunks = [];
    controls?.finish();
    return controls;
  }
}

/** The body of an answer: reading slowly holds the upstream back, destroying it early ends the upstream. */
class ResponseBody extends Readable {
  private isComplete = false;

  constructor(
    private readonly controller: Controller,
    private readonly whenClosed: () => void,
  ) {
    super({ highWaterMark: 65_536 });
    // An abort between two reads must not end the process; a reader still sees the error.
    this.on('error', () => undefined);
  }

  complete(): void {
    this.isComplete = true;
    this.push(null);
  }

  override _read(): void {
    this.controller.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.whenClosed();
    if (!this.isComplete) {
      this.controller.abort(error ?? new OutboundError('aborted', 'The answer was not read to its end.'));
    }
    callback(error);
  }
}

export function tooLarge(limitBytes: number): OutboundError {
  return new OutboundError('too_large', `The answer is larger than ${limitBytes} bytes.`);
}

function unacceptable(status: number, headers: OutboundResponseHeaders): OutboundError | null {
  if (status >= 300 && status < 400) {
    const message = `The answer is a redirect (${status}); redirects are never followed.`;
    return new OutboundError('redirect', message, { location: [headers['location']].flat()[0], status });
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== '' && String(encoding).toLowerCase() !== 'identity') {
    return new OutboundError('encoded', 'The answer is compressed although that was not asked for.', { status });
  }
  return null;
}
