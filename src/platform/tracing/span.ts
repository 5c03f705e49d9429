import type { IncomingHttpHeaders } from 'node:http';

/** What is told of a span, by the names of OpenTelemetry's conventions; null and undefined are left out. */
export type SpanFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * One step of a request, with a beginning and an end. Names and fields are words that the hub chose, figures, and names
 * out of a configuration: never what was said, never a provider's words, never a secret.
 */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** False: nobody will see it, and its fields need not be worked out. */
  readonly isRecorded: boolean;
  /** Adds fields, and gives it a better name. */
  describe(fields: SpanFields, name?: string): void;
  /** A step of its own within this one: a request that is sent to somebody else. */
  startRequest(name: string, fields: SpanFields): Span;
  /** What takes the trace to whoever is asked: `traceparent`, and `tracestate` where there is one. */
  headers(): Record<string, string>;
  /** It is over; `failure`: a code or the class of an error. */
  end(failure: string | null): void;
}

/** What is told of a request that this process answers. */
export interface AnsweredRequest {
  name: string;
  /** Of the request: `traceparent` and `tracestate` are taken over. */
  headers: IncomingHttpHeaders;
  fields: SpanFields;
  /** Without a trace of the one who asks there is none: null is answered. */
  onlyWithin: boolean;
}

/** Port: where spans go. There is none in a process that traces nothing. */
export abstract class Tracing {
  /** A request begins. */
  abstract begin(request: AnsweredRequest): Span | null;
  /** Hands over what is left, within this time at most. Never fails. */
  abstract close(milliseconds: number): Promise<void>;
}
