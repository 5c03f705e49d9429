import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Env } from '../config/env.js';
import { scrub } from './scrub.js';

interface LoggedError {
  type: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: LoggedError;
}

const MAX_CAUSES = 3;

/** Lists what of an error is logged: its other properties may carry headers, parameters or bodies. */
const describeError = (error: unknown, depth = 0): LoggedError => {
  if (!(error instanceof Error)) return { type: typeof error, message: scrub(String(error)).slice(0, 2000) };
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.constructor.name,
    message: scrub(error.message).slice(0, 2000),
    ...(typeof code === 'string' && { code }),
    ...(error.stack && { stack: scrub(error.stack).slice(0, 8000) }),
    ...(error.cause !== undefined && depth < MAX_CAUSES && { cause: describeError(error.cause, depth + 1) }),
  };
};

const FLUSH_MILLISECONDS = 200;
const BUFFER_BYTES = 8192;

/** A write per line would cost more than the line: they wait a moment for each other, and none is lost at the end. */
const bufferedOutput = (): DestinationStream => {
  const output = pino.destination({ dest: 1, sync: true, minLength: BUFFER_BYTES });
  setInterval(() => output.flush(), FLUSH_MILLISECONDS).unref();
  process.on('exit', () => output.flushSync());
  return output;
};

let told = { at: 0, text: '' };

/** Many lines fall into one millisecond: its text is made once. */
const isoTime = (): string => {
  const at = Date.now();
  if (told.at !== at) told = { at, text: `,"time":"${new Date(at).toISOString()}"` };
  return told.text;
};

/** One JSON line per event on standard output (or a readable one on a terminal). */
export const createLogger = (env: Pick<Env, 'LOG_LEVEL' | 'LOG_FORMAT'>, destination?: DestinationStream): Logger =>
  pino(
    {
      level: env.LOG_LEVEL,
      base: null,
      timestamp: isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => describeError(error) },
    },
    destination ?? (env.LOG_FORMAT === 'pretty' ? pretty({ sync: true, ignore: 'pid,hostname' }) : bufferedOutput()),
  );

/** Nest's own messages go to debug: an operator needs none of them. */
const FRAMEWORK_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Lets Nest's `Logger` write through pino. */
export class PinoLoggerService implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    const isFramework = typeof context === 'string' && FRAMEWORK_CONTEXTS.has(context);
    this.write(isFramework ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  private write(level: 'info' | 'error' | 'warn' | 'debug' | 'trace', message: unknown, rest: unknown[]): void {
    const context = rest.length > 0 && typeof rest.at(-1) === 'string' ? (rest.at(-1) as string) : undefined;
    if (typeof message === 'object' && message !== null && !(message instanceof Error)) {
      const { msg, ...fields } = message as Record<string, unknown>;
      this.logger[level]({ context, ...fields }, typeof msg === 'string' ? msg : undefined);
    } else if (message instanceof Error) {
      this.logger[level]({ context, err: message }, 'unexpected error');
    } else {
      this.logger[level]({ context }, scrub(String(message)));
    }
  }
}
