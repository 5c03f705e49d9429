import { isPlainObject } from '../../contract/fields.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { Answerer, StreamState } from '../calls/answerer.js';
import type { StreamEnd } from '../calls/stream-forwarder.js';
import { textOf } from '../calls/whole-answer.js';
import type { WholeAnswer } from '../providers/provider.js';
import { ProviderError } from '../providers/provider-error.js';
import type { IncomingCall } from '../calls/incoming-call.js';

const firstOf = (list: unknown): Record<string, unknown> => {
  const first: unknown = Array.isArray(list) ? list[0] : null;
  return isPlainObject(first) ? first : {};
};

const isVector = (value: unknown): boolean =>
  typeof value === 'string' ? value !== '' : Array.isArray(value) && value.length > 0;

/** Takes the answer of a test, and looks whether it is one: under a good status there may be anything. */
export class TestAnswerer implements Answerer {
  /** Nothing is with a caller before the test is over. */
  readonly hasStarted = false;
  /** The text of the answer. */
  text = '';

  constructor(private readonly incoming: Pick<IncomingCall, 'operation'>) {}

  whole(_answer: WholeAnswer, parsed: Readonly<Record<string, unknown>>): void {
    const isAnswer =
      this.incoming.operation === 'embeddings'
        ? isVector(firstOf(parsed['data'])['embedding'])
        : isPlainObject(firstOf(parsed['choices'])['message']);
    if (!isAnswer) throw new ProviderError('bad_answer', { message: 'the answer has nothing of a model in it' });
    this.text = textOf(parsed);
  }

  /** A test asks for no stream. */
  stream(): { state: StreamState; end: Promise<StreamEnd> } {
    throw new AppError('internal_error');
  }

  fail(error: AppError): void {
    throw error;
  }
}
