import { types } from 'node:util';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../../contract/error-codes.js';
import { scrub } from '../logging/scrub.js';
import type { Span } from '../tracing/span.js';
import { AppError } from './app-error.js';
import { answerFor } from './error-answers.js';

/** Recognises failures of a library that a service knows, such as a lost database connection; null: not mine. */
export type ErrorTranslator = (error: unknown) => AppError | null;

interface HttpFailure {
  statusCode: number;
  code: string;
}

/** Whatever made it: Node's own errors are of another realm than those of a program that runs in a context. */
const isHttpFailure = (error: unknown): error is HttpFailure =>
  types.isNativeError(error) && typeof (error as Partial<HttpFailure>).statusCode === 'number';

/** What a failure is told about. */
export interface FailedRequest {
  id: string;
  method: string;
  url: string;
  /** Of a request that is traced. */
  span?: Span | null;
}

export interface FailureAnswer {
  status: number;
  headers: Record<string, string>;
  /** JSON. */
  body: string;
}

/** What Nest and Fastify refuse before a handler of ours runs. */
const translateHttp = (error: unknown): AppError | null => {
  const status = error instanceof HttpException ? error.getStatus() : isHttpFailure(error) ? error.statusCode : null;
  if (status === null || status >= 500) return null;
  const text = types.isNativeError(error) ? error.message : '';
  if (status === 404) return new AppError('route_not_found');
  if (status === 413) return new AppError('body_too_large');
  if (status === 415) return new AppError('unsupported_media_type');
  return new AppError(/JSON/i.test(text) ? 'malformed_json' : 'malformed_request', { cause: error });
};

/** The one place where a failure becomes an answer. What nobody expected is logged whole and answered as 500. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Error');

  /** How often each code was answered since the start. */
  readonly answered = new Map<ErrorCode, number>();

  constructor(private readonly translators: readonly ErrorTranslator[]) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const { status, headers, body } = this.describe(error, http.getRequest<FastifyRequest>());
    if (!reply.sent) void reply.status(status).headers(headers).send(body);
  }

  /** The answer to a failure of this request; logs what an operator should see of it. */
  describe(error: unknown, request: FailedRequest): FailureAnswer {
    const known = this.translate(error);
    this.answered.set(known.code, (this.answered.get(known.code) ?? 0) + 1);
    request.span?.describe({ 'error.type': known.code });
    const path = request.url.split('?', 1)[0] ?? '/';
    if (known.status >= 500) this.log(known, error, request);
    const { contentType, body } = answerFor(known, path, request.id);
    return {
      status: known.status,
      headers: { ...known.headers, 'content-type': contentType, 'cache-control': 'no-store' },
      body: JSON.stringify(body),
    };
  }

  private translate(error: unknown): AppError {
    if (error instanceof AppError) return error;
    for (const translator of [...this.translators, translateHttp]) {
      const translated = translator(error);
      if (translated) return translated;
    }
    return new AppError('internal_error', { cause: error });
  }

  private log(known: AppError, error: unknown, request: FailedRequest): void {
    const context = {
      request_id: request.id,
      method: request.method,
      path: scrub(request.url.split('?', 1)[0] ?? ''),
      code: known.code,
    };
    if (known.code === 'internal_error') this.logger.error({ ...context, err: error });
    // Each process asks every second or two while the database is away; health and the other side say so already.
    // And a process that stops says so once.
    else if (context.path.startsWith('/internal/') || known.code === 'shutting_down')
      this.logger.debug({ ...context, detail: scrub(known.detail) });
    else this.logger.warn({ ...context, detail: scrub(known.detail) });
  }
}
