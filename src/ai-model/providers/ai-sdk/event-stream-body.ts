import type { Readable } from 'node:stream';
import { isPlainObject } from '../../../contract/fields.js';
import { type SseEvent, SseReader } from '../../calls/wire/sse-reader.js';
import { ProviderError } from '../provider-error.js';
import { type Frame, FrameReader } from './event-frames.js';

const NOTHING = Buffer.alloc(0);
const MAX_EVENT_BYTES = 1024 * 1024;

/** A line that is neither empty nor a comment nor a field of an event. Not with the flag m: it knows more kinds of lines. */
const STRAY_LINE = /(?:^|[\r\n])(?!(?:data|event|id|retry)(?:[:\r\n]|$)|[:\r\n]|$)/;

/** Throws what the provider said of its failure. */
type FailWith = (error: unknown) => never;

const parseOrNull = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** An error as providers write it into a stream or under a good status: `{error: …}`, at the top alone. */
export const errorIn = (text: string): unknown => {
  if (!text.includes('"error"')) return undefined;
  const parsed = parseOrNull(text);
  const body: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  return isPlainObject(body) && body['error'] !== null && body['error'] !== undefined ? body : undefined;
};

/** Text in a stream that is no event: a server that failed wrote its bare error there. */
const failOfStray = (text: string, failWith: FailWith): never => {
  const error = errorIn(text);
  if (error !== undefined) failWith(error);
  throw new ProviderError('bad_answer', { message: 'the stream holds something that is no event' });
};

/** The event as the library reads it: one line and one kind of line end. '': it says nothing. */
const normalise = (event: SseEvent, failWith: FailWith): string => {
  const data = event.data();
  const text = event.bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (STRAY_LINE.test(text)) failOfStray(text, failWith);
  if (data === null) return '';
  const error = errorIn(data);
  if (error !== undefined) failWith(error);
  if (!event.complete) throw new ProviderError('bad_answer', { message: 'the stream broke off inside an event' });
  return `data: ${data.includes('\n') ? data.replaceAll('\n', ' ') : data}\n\n`;
};

/**
 * A provider's events for the library, no faster than it reads them. What must not reach it, such as an error or an event
 * without end, ends the stream instead: `onFailure` gets the reason, since the library would wrap it.
 */
export const eventStreamBody = (
  source: Readable,
  failWith: FailWith,
  onFailure: (failure: unknown) => void,
): ReadableStream<Uint8Array> => {
  const reader = new SseReader({ eventBytes: MAX_EVENT_BYTES });
  const joined = (events: readonly SseEvent[]): Buffer =>
    Buffer.from(events.map((event) => normalise(event, failWith)).join(''));
  return readableOf(source, onFailure, (chunk) => joined(chunk === null ? reader.end() : reader.push(chunk)));
};

/** An exception, or an error that AWS's own side of the connection had. */
const failOfFrame = ({ headers, payload }: Frame, failWith: FailWith): void => {
  const kind = headers[':message-type'];
  if (kind === 'exception') {
    const said = parseOrNull(payload.toString('utf8'));
    const type = headers[':exception-type'];
    failWith({ ...(isPlainObject(said) ? said : { message: payload.toString('utf8') }), type });
  }
  if (kind === 'error') failWith({ type: headers[':error-code'], message: headers[':error-message'] });
};

/** The same for AWS's binary stream: whole frames, none of them an error. */
export const frameStreamBody = (
  source: Readable,
  failWith: FailWith,
  onFailure: (failure: unknown) => void,
): ReadableStream<Uint8Array> => {
  const reader = new FrameReader();
  return readableOf(source, onFailure, (chunk) => {
    if (chunk === null) {
      reader.end();
      return NOTHING;
    }
    const frames = reader.push(chunk);
    for (const frame of frames) failOfFrame(frame, failWith);
    return frames.length === 0 ? NOTHING : Buffer.concat(frames.map(({ bytes }) => bytes));
  });
};

/** Events of the source, not `Readable.toWeb`: half the cost, and a failure of ours ends the source at once. */
const readableOf = (
  source: Readable,
  onFailure: (failure: unknown) => void,
  convert: (chunk: Buffer | null) => Buffer,
): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({
    start: (controller) => {
      let isOver = false;
      const fail = (failure: unknown): void => {
        if (isOver) return;
        isOver = true;
        onFailure(failure);
        controller.error(failure);
        source.destroy();
      };
      const pass = (chunk: Buffer | null): void => {
        if (isOver) return;
        try {
          const bytes = convert(chunk);
          if (bytes.length > 0) controller.enqueue(bytes);
        } catch (error) {
          fail(error);
        }
      };
      source.on('error', fail);
      source.on('data', (chunk: Buffer) => {
        pass(chunk);
        if ((controller.desiredSize ?? 0) <= 0) source.pause();
      });
      source.on('end', () => {
        pass(null);
        if (isOver) return;
        isOver = true;
        controller.close();
      });
    },
    pull: () => void source.resume(),
    cancel: () => void source.destroy(),
  });
