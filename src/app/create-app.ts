import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as PinoLogger } from 'pino';
import { generateToken } from '../platform/auth/token-text.js';
import type { Env } from '../platform/config/env.js';
import { ThisInstance } from '../platform/config/this-instance.js';
import { ErrorFilter } from '../platform/errors/error-filter.js';
import { EXIT_UNAVAILABLE, StartupError } from '../platform/errors/startup-error.js';
import { HealthRegistry } from '../platform/health/health-registry.js';
import { DirectLane } from '../platform/http/direct-lane.js';
import { createHttpAdapter } from '../platform/http/http-server.js';
import { ListenAddress } from '../platform/http/listen-address.js';
import { MetricsRegistry } from '../platform/metrics/metrics-registry.js';
import { createValidationPipe } from '../platform/http/validation.js';
import { createLogger, PinoLoggerService } from '../platform/logging/logger.js';
import { Secret } from '../platform/secrets/secret.js';
import { AppModule } from './app.module.js';
import { OpenApiDocument } from './docs.controller.js';
import { buildOpenApiDocument } from './openapi.js';
import { PRODUCT } from './product.js';
import { processFamilies } from './process-families.js';
import { openParts, type ServicePart } from './roles.js';

export interface CreateAppOptions {
  logger?: PinoLogger;
  /** Called when something is found after the start that only the operator can mend. */
  onFatal?: (error: unknown) => void;
}

/** The running application: the same for production and for tests. */
export interface HubApplication {
  readonly nest: NestFastifyApplication;
  /** For the operator, once it listens. */
  readonly notices: readonly string[];
  /** Listens and answers the address, such as `http://127.0.0.1:8000`. */
  listen(): Promise<string>;
  /** Ends everything in order: new requests, open ones, usage, the pool, the embedded database. Safe to call twice. */
  close(): Promise<void>;
}

const MEGABYTE = 1024 * 1024;
const SHUTDOWN_MILLISECONDS = 10_000;
const CLOSE_IDLE_MILLISECONDS = 50;

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
): Promise<NestFastifyApplication> => {
  const errors = new ErrorFilter(parts.flatMap((part) => part.translateError ?? []));
  const lane = new DirectLane(env.MAX_CALL_BODY_MB * MEGABYTE);
  const nest = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(env, parts, lane, instance),
    createHttpAdapter(env, logger, lane, errors),
    {
      bodyParser: false,
      bufferLogs: false,
      abortOnError: false,
      logger: new PinoLoggerService(logger),
    },
  );
  nest.useGlobalPipes(createValidationPipe());
  nest.useGlobalFilters(errors);
  nest.get(MetricsRegistry).add(...processFamilies(env, instance, errors));
  nest.get(OpenApiDocument).set(buildOpenApiDocument(nest, env.SERVICE_ROLE));
  await nest.init();
  await nest.getHttpAdapter().getInstance().ready();
  return nest;
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
  const parts = await openParts(env, instance, serviceToken, options.onFatal ?? (() => undefined));
  const nest = await createNest(env, logger, parts, instance).catch(async (error: unknown) => {
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

  let closing: Promise<void> | undefined;
  const shutDown = async (): Promise<void> => {
    nest.get(HealthRegistry).startDraining();
    // Connections that are still open after this are cut: the process must end within its limit.
    const server = nest.getHttpServer();
    const limit = setTimeout(() => server.closeAllConnections(), SHUTDOWN_MILLISECONDS);
    // Idle ones are closed once, when the server stops listening: one whose answer ends after that would keep the
    // process for its whole keep-alive time.
    const idle = setInterval(() => server.listening || server.closeIdleConnections(), CLOSE_IDLE_MILLISECONDS);
    try {
      await nest.close();
    } finally {
      clearTimeout(limit);
      clearInterval(idle);
      await closeParts(parts);
    }
  };
  const close = (): Promise<void> => (closing ??= shutDown());
  return { nest, notices: parts.flatMap((part) => part.notices ?? []), listen, close };
}
