import { toAnthropicError } from '../../../platform/errors/error-answers.js';
import type { AppError } from '../../../platform/errors/app-error.js';
import type { AnswerStream, Dialect } from '../../calls/dialect.js';
import type { IncomingCall } from '../../calls/incoming-call.js';
import type { WholeAnswer } from '../../providers/provider.js';
import { namedEvent, WrittenStream } from '../written-stream.js';
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

/** Says a stream as Anthropic's events. */
export class MessageStream extends WrittenStream {
  override readonly heartbeat = namedEvent('ping', { type: 'ping' });
  protected override readonly writer: MessageWriter;

  constructor(asked: Asked) {
    super();
    this.writer = new MessageWriter(asked, (event) => this.say(namedEvent(event.type, event)));
  }

  override error(error: AppError): string {
    return namedEvent('error', toAnthropicError(error));
  }
}
