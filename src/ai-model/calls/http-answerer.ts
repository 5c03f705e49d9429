import type { AppError } from '../../platform/errors/app-error.js';
import type { CallReply, CallRequest } from '../../platform/http/call-exchange.js';
import type { StreamedAnswer, WholeAnswer } from '../providers/provider.js';
import type { Answerer, AnswerHeaders, StreamState } from './answerer.js';
import type { CallDeadline } from './call-deadline.js';
import type { Dialect } from './dialect.js';
import type { IncomingCall } from './incoming-call.js';
import { StreamForwarder, type StreamEnd } from './stream-forwarder.js';
import { PASS_THROUGH, translating } from './stream-outlet.js';
import { ChatStreamTap } from './wire/chat-stream-tap.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // nginx and others would hold the stream back.
  'x-accel-buffering': 'no',
};

/** Answers an HTTP request, past Fastify, whose own way of answering costs more than all we do here. */
export class HttpAnswerer implements Answerer {
  private forwarder: StreamForwarder | null = null;

  constructor(
    private readonly request: CallRequest,
    private readonly reply: CallReply,
    private readonly dialect: Dialect,
    private readonly incoming: IncomingCall,
    private readonly deadline: CallDeadline,
  ) {}

  get hasStarted(): boolean {
    return this.forwarder?.hasStarted ?? false;
  }

  whole(answer: WholeAnswer, parsed: Readonly<Record<string, unknown>>, headers: () => AnswerHeaders): void {
    const body = this.dialect.whole(answer, parsed, this.incoming);
    const head = headers();
    head['content-type'] = this.incoming.isTranslated ? JSON_TYPE : answer.contentType;
    head['content-length'] = String(body.length);
    this.sendHead(head);
    this.reply.raw.end(body);
  }

  stream(answer: StreamedAnswer, headers: () => AnswerHeaders): { state: StreamState; end: Promise<StreamEnd> } {
    const tap = new ChatStreamTap({ callerWantsUsage: this.incoming.wantsUsage });
    const said = this.dialect.stream(this.incoming);
    const outlet = said ? translating(said) : PASS_THROUGH;
    const start = (): void => this.sendHead(Object.assign(headers(), STREAM_HEADERS));
    this.forwarder = new StreamForwarder(this.reply.raw, tap, this.deadline, outlet, start);
    return { state: this.forwarder, end: this.forwarder.forward(answer.body) };
  }

  fail(error: AppError): void {
    // He does not read, so nothing more can be told: what is still buffered for him goes with the connection.
    if (error.code === 'client_gone') return void this.reply.raw.destroy();
    this.forwarder?.fail(error);
  }

  private sendHead(headers: AnswerHeaders): void {
    this.reply.hijack();
    // The flat form is the one that Node takes as it is.
    const flat = ['x-request-id', this.request.id];
    for (const name in headers) flat.push(name, headers[name] as string);
    this.reply.raw.writeHead(200, flat);
  }
}
