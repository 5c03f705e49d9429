import type { AppError } from '../../../platform/errors/app-error.js';
import type { AnswerStream, Dialect } from '../../calls/dialect.js';
import type { IncomingCall } from '../../calls/incoming-call.js';
import type { WholeAnswer } from '../../providers/provider.js';
import { namedEvent, wholeAsChunk, WrittenStream } from '../written-stream.js';
import { ResponseWriter } from './response-writer.js';
import { readResponsesRequest } from './responses-reader.js';
import type { ResponsesRequest } from './responses-request.js';

/** OpenAI's Responses. One object per request: the answer tells what was asked. */
export class ResponsesDialect implements Dialect {
  private request: ResponsesRequest;

  read(body: Buffer | undefined): IncomingCall {
    const { request, call } = readResponsesRequest(body);
    this.request = request;
    return call;
  }

  whole(_answer: WholeAnswer, parsed: Readonly<Record<string, unknown>>): Buffer {
    const writer = new ResponseWriter(this.request, () => undefined);
    writer.take(wholeAsChunk(parsed));
    writer.finish();
    return Buffer.from(JSON.stringify(writer.toJson()));
  }

  stream(): AnswerStream {
    return new ResponsesStream(this.request);
  }
}

/** Says a stream as OpenAI's events. */
export class ResponsesStream extends WrittenStream {
  override readonly heartbeat = ': keep-alive\n\n';
  protected override readonly writer: ResponseWriter;
  private sequence = 0;

  constructor(request: ResponsesRequest) {
    super();
    this.writer = new ResponseWriter(request, (type, fields) => this.number(type, fields));
  }

  override error(error: AppError): string {
    this.writer.fail(error);
    return this.flush();
  }

  private number(type: string, fields: Readonly<Record<string, unknown>>): void {
    this.say(namedEvent(type, { type, sequence_number: this.sequence, ...fields }));
    this.sequence += 1;
  }
}
