import { toOpenAiError } from '../../platform/errors/error-answers.js';
import type { AppError } from '../../platform/errors/app-error.js';
import type { AnswerStream, ChatChunk } from './dialect.js';
import type { SseEvent } from './wire/sse-event.js';

const HEARTBEAT = ': keep-alive\n\n';
const DONE = 'data: [DONE]\n\n';

/** What a provider's events become on their way to the caller. */
export interface StreamOutlet {
  /** null: nothing goes out for this one. */
  event(event: SseEvent): Buffer | null;
  /** The answer is complete. `done`: the provider's own `[DONE]`, where it sent one. */
  end(done: SseEvent | null): Buffer | string;
  error(error: AppError): string;
  readonly heartbeat: string;
}

/** For OpenAI's own clients: byte for byte. No `[DONE]` behind an error: it is not done. */
export const PASS_THROUGH: StreamOutlet = {
  event: ({ bytes }) => bytes,
  end: (done) => done?.bytes ?? DONE,
  error: (error) => `data: ${JSON.stringify(toOpenAiError(error))}\n\n`,
  heartbeat: HEARTBEAT,
};

/** For callers who speak otherwise: each chunk is said in their words. */
export const translating = (stream: AnswerStream): StreamOutlet => ({
  event: (event) => {
    const chunk = parseChunk(event);
    const text = chunk === null ? '' : stream.chunk(chunk);
    return text === '' ? null : Buffer.from(text);
  },
  end: () => stream.end(),
  error: (error) => stream.error(error),
  heartbeat: stream.heartbeat,
});

/** A comment, or what a broken server wrote, says nothing. */
const parseChunk = (event: SseEvent): ChatChunk | null => {
  try {
    const parsed: unknown = JSON.parse(event.data() ?? 'null');
    return typeof parsed === 'object' && parsed !== null ? (parsed as ChatChunk) : null;
  } catch {
    return null;
  }
};
