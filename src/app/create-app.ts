import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as PinoLogger } from 'pino';
import { Sessions } from '../platform/auth/sessions.js';
import { generateToken } from '../platform/auth/token-text.js';
import type { Env } from '../platform/config/env.js';
import { ThisInstance } from '../platform/config/this-instance.js';
import { ErrorFilter } from '../platform/errors/error-filter.js';
import { EXIT_UNAVAILABLE, StartupError } from '../platform/errors/startup-error.js';
import { DirectLane } from '../platform/http/direct-lane.js';
import { createHttpAdapter } from '../platform/http/http-server.js';
import { HttpTraffic } from '../platform/http/http-traffic.js';
import { ListenAddress } from '../platform/http/listen-address.js';
import { MetricsRegistry } from '../platform/metrics/metrics-registry.js';
import { createValidationPipe } from '../platform/http/validation.js';
import { createLogger, PinoLoggerService } from '../platform/logging/logger.js';
import { Secret } from '../platform/secrets/secret.js';
import { openTracing } from '../platform/tracing/open-tracing.js';
import type { Tracing } from '../platform/tracing/span.js';
import { AppModule } from './app.module.js';
import { OpenApiDocument } from './docs.controller.js';
import { buildOpenApiDocument } from './openapi.js';
import { PRODUCT } from './product.js';
import { processFamilies } from './process-families.js';
import { openParts, type ServicePart } from './roles.js';
import { type CloseOptions, Shutdown } from './shutdown.js';

export interface CreateAppOptions {
  logger?: PinoLogger;
  /** Called when something is found after the start that only the operator can mend. */
  onFatal?: (error: unknown) => void;
  /** Gives the start up where it can be: what was opened is closed, and it fails with the signal's reason. */
  stopping?: AbortSignal;
}

/** The running application: the same for production and for tests. */
export interface HubApplication {
  readonly nest: NestFastifyApplication;
  /** For the operator, once it listens there. */
  notices(url: string): string[];
  /** Listens and answers the address, such as `http://127.0.0.1:8000`. */
  listen(): Promise<string>;
  /**
   * Ends everything in order: new requests, open ones, usage, the pool, the embedded database. Safe to call twice.
   * Answers what was still open when the time was up (SHUTDOWN_TIMEOUT unless told), nothing when all of it ended.
   */
  close(options?: Partial<CloseOptions>): Promise<string[]>;
  /** Of a close that is under way: as quick as is safe. */
  hurry(): void;
}

const MEGABYTE = 1024 * 1024;

const localHost = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
};

const portOf = (nest: NestFastifyApplication): number => {
  const address = nest.getHttpServer().address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const createNest = async (
  env: Env,
  logger: PinoLogger,
  parts: ServicePart[],
  instance: ThisInstance,
  tracing: Tracing | null,
): Promise<{ nest: NestFastifyApplication; shutdown: Shutdown }> => {
  const errors = new ErrorFilter(parts.flatMap((part) => part.translateError ?? []));
  const lane = new DirectLane(env.MAX_CALL_BODY_MB * MEGABYTE);
  const traffic = new HttpTraffic();
  const nest = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(env, parts, lane, instance),
    createHttpAdapter(env, logger, lane, errors, traffic, tracing),
    {
      bodyParser: false,
      bufferLogs: false,
      abortOnError: false,
      logger: new PinoLoggerService(logger),
    },
  );
  nest.useGlobalPipes(createValidationPipe());
  nest.useGlobalFilters(errors);
  const shutdown = new Shutdown({ nest, parts, traffic, tracing, talksToItself: env.runsStorage && env.runsAiModel });
  nest
    .getHttpAdapter()
    .getInstance()
    .addHook('preClose', () => shutdown.closeConnections());
  admitSessions(nest);
  nest.get(MetricsRegistry).add(...processFamilies(env, instance, errors));
  nest.get(OpenApiDocument).set(buildOpenApiDocument(nest, env.SERVICE_ROLE));
  await nest.init();
  await nest.getHttpAdapter().getInstance().ready();
  return { nest, shutdown };
};

/** Before anything else looks at a request. */
const admitSessions = (nest: NestFastifyApplication): void => {
  const sessions = nest.get(Sessions);
  const server = nest.getHttpAdapter().getInstance();
  server.addHook('onRequest', (request, _reply, done) => {
    const admitted = sessions.admit(request);
    // oxlint-disable-next-line promise/no-callback-in-promise -- a promise for each other request would be waste
    if (admitted) admitted.then(() => done(), done);
    else done();
  });
};

const LISTEN_PROBLEMS: Partial<Record<string, string>> = {
  EADDRINUSE: 'is in use by another program: set PORT to another one',
  EACCES: 'may not be used by this user: set PORT to 1024 or higher',
  EADDRNOTAVAIL: 'is no address of this machine: set HOST to one that is',
  ENOTFOUND: 'is no address of this machine: set HOST to one that is',
};

const listenError = (error: unknown, { HOST, PORT }: Env): unknown => {
  const problem = LISTEN_PROBLEMS[(error as NodeJS.ErrnoException).code ?? ''];
  return problem ? new StartupError(`Port ${PORT} on ${HOST} ${problem}.`, EXIT_UNAVAILABLE) : error;
};

const closeParts = async (parts: readonly ServicePart[]): Promise<void> => {
  for (const part of parts) await part.close?.();
};

/** Builds the application of the environment's role. Throws a StartupError for what only the operator can mend. */
export async function createApp(env: Env, options: CreateAppOptions = {}): Promise<HubApplication> {
  const logger = options.logger ?? createLogger(env);
  Logger.overrideLogger(new PinoLoggerService(logger));
  // In role `all` both sides are this process, so a token of the moment will do.
  const serviceToken = env.STORAGE_SERVICE_TOKEN ?? Secret.of(generateToken('service').text);
  const instance = new ThisInstance(PRODUCT.version);
  const tracing = await openTracing(env, instance);
  const parts = await openParts(env, instance, serviceToken, options);
  const { nest, shutdown } = await createNest(env, logger, parts, instance, tracing).catch(async (error: unknown) => {
    await closeParts(parts);
    throw error;
  });

  const listen = async (): Promise<string> => {
    await nest.listen(env.PORT, env.HOST).catch(async (error: unknown) => {
      await close();
      throw listenError(error, env);
    });
    const url = `http://${localHost(env.HOST)}:${portOf(nest)}`;
    nest.get(ListenAddress).set(url);
    return url;
  };

  const limit = env.SHUTDOWN_TIMEOUT * 1000;
  const close: HubApplication['close'] = ({ milliseconds = limit, notice = false } = {}) =>
    shutdown.run({ milliseconds, notice });
  const notices = (at: string): string[] => parts.flatMap((part) => part.notices ?? []).map((notice) => notice(at));
  return { nest, notices, listen, close, hurry: () => shutdown.hurry() };
}
