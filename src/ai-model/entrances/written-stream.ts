import { isPlainObject } from '../../contract/fields.js';
import type { AppError } from '../../platform/errors/app-error.js';
import type { AnswerStream, ChatChunk } from '../calls/dialect.js';
import { ProviderError } from '../providers/provider-error.js';

/** Turns chunks into the events of an API. */
export interface ChunkWriter {
  take(chunk: ChatChunk): void;
  /** After the last chunk. */
  finish(): void;
}

/** A stream whose events a writer makes: what they say is collected and goes out with the chunk that caused it. */
export abstract class WrittenStream implements AnswerStream {
  abstract readonly heartbeat: string;
  protected abstract readonly writer: ChunkWriter;
  private text = '';

  chunk(chunk: ChatChunk): string {
    this.writer.take(chunk);
    return this.flush();
  }

  end(): string {
    this.writer.finish();
    return this.flush();
  }

  abstract error(error: AppError): string;

  protected say(text: string): void {
    this.text += text;
  }

  protected flush(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

/** A server-sent event with a name. */
export const namedEvent = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** The one chunk that a whole answer is, so that both ways say the same. Throws when there is no message in it. */
export const wholeAsChunk = (parsed: Readonly<Record<string, unknown>>): ChatChunk => {
  const { choices } = parsed;
  const choice: unknown = Array.isArray(choices) ? choices[0] : null;
  if (!isPlainObject(choice) || !isPlainObject(choice['message'])) {
    throw new ProviderError('bad_answer', { message: 'the answer has no message' });
  }
  return { ...parsed, choices: [{ ...choice, delta: choice['message'] }] };
};
