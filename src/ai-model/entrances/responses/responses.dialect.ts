import { isPlainObject } from '../../../contract/fields.js';
import type { AppError } from '../../../platform/errors/app-error.js';
import type { AnswerStream, ChatChunk, Dialect } from '../../calls/dialect.js';
import type { IncomingCall } from '../../calls/incoming-call.js';
import { ProviderError } from '../../providers/provider-error.js';
import type { WholeAnswer } from '../../providers/provider.js';
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
    writer.take(asChunk(parsed));
    writer.finish();
    return Buffer.from(JSON.stringify(writer.toJson()));
  }

  stream(): AnswerStream {
    return new ResponsesStream(this.request);
  }
}

/** The one chunk that a whole answer is. */
const asChunk = (parsed: Readonly<Record<string, unknown>>): ChatChunk => {
  const { choices } = parsed;
  const choice: unknown = Array.isArray(choices) ? choices[0] : null;
  if (!isPlainObject(choice) || !isPlainObject(choice['message'])) {
    throw new ProviderError('bad_answer', { message: 'the answer has no message' });
  }
  return { ...parsed, choices: [{ ...choice, delta: choice['message'] }] };
};

/** Says a stream as OpenAI's events. */
export class ResponsesStream implements AnswerStream {
  readonly heartbeat = ': keep-alive\n\n';
  private text = '';
  private sequence = 0;
  private readonly writer: ResponseWriter;

  constructor(request: ResponsesRequest) {
    this.writer = new ResponseWriter(request, (type, fields) => this.say(type, fields));
  }

  chunk(chunk: ChatChunk): string {
    this.writer.take(chunk);
    return this.flush();
  }

  end(): string {
    this.writer.finish();
    return this.flush();
  }

  error(error: AppError): string {
    this.writer.fail(error);
    return this.flush();
  }

  private say(type: string, fields: Readonly<Record<string, unknown>>): void {
    const event = { type, sequence_number: this.sequence, ...fields };
    this.sequence += 1;
    this.text += `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  }

  private flush(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}
