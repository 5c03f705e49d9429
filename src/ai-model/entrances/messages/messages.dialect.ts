import { toAnthropicError } from '../../../platform/errors/error-answers.js';
import type { AppError } from '../../../platform/errors/app-error.js';
import type { AnswerStream, ChatChunk, Dialect } from '../../calls/dialect.js';
import type { IncomingCall } from '../../calls/incoming-call.js';
import type { WholeAnswer } from '../../providers/provider.js';
import type { MessageEvent } from './message-events.js';
import { MessageWriter, type Asked } from './message-writer.js';
import { readMessagesRequest } from './messages-reader.js';
import type { MessagesRequest } from './messages-request.js';
import { toMessage } from './whole-message.js';

/** Anthropic's messages. One object per request: the answer depends on what was asked. */
export class MessagesDialect implements Dialect {
  private asked: Asked;

  read(body: Buffer | undefined): IncomingCall {
    const { request, call } = readMessagesRequest(body);
    this.asked = askedIn(request, call);
    return call;
  }

  whole(_answer: WholeAnswer, parsed: Readonly<Record<string, unknown>>): Buffer {
    return Buffer.from(JSON.stringify(toMessage(parsed, this.asked)));
  }

  stream(): AnswerStream {
    return new MessageStream(this.asked);
  }
}

const askedIn = ({ model, stop_sequences: stops, thinking }: MessagesRequest, call: IncomingCall): Asked => ({
  model,
  stops: stops ?? [],
  thoughts: !thinking ? 'signed' : thinking.type === 'disabled' ? 'hidden' : 'shown',
  messages: call.parameters['messages'],
});

const asText = (event: MessageEvent | { type: string }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** Says a stream as Anthropic's events. */
export class MessageStream implements AnswerStream {
  readonly heartbeat = asText({ type: 'ping' });
  private text = '';
  private readonly writer: MessageWriter;

  constructor(asked: Asked) {
    this.writer = new MessageWriter(asked, (event) => {
      this.text += asText(event);
    });
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
    return asText(toAnthropicError(error));
  }

  private flush(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}
