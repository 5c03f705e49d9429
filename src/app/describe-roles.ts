import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { generateToken } from '../platform/auth/token-text.js';
import { readEnv, SERVICE_ROLES, type ServiceRole } from '../platform/config/env.js';
import { ThisInstance } from '../platform/config/this-instance.js';
import { ErrorFilter } from '../platform/errors/error-filter.js';
import { DirectLane } from '../platform/http/direct-lane.js';
import { createHttpAdapter } from '../platform/http/http-server.js';
import { createLogger } from '../platform/logging/logger.js';
import { Secret } from '../platform/secrets/secret.js';
import { AppModule } from './app.module.js';
import { buildOpenApiDocument } from './openapi.js';
import { PRODUCT } from './product.js';

const SETTINGS = {
  DATABASE_URL: 'postgresql://localhost/never_connected',
  STORAGE_SERVICE_URL: 'http://127.0.0.1:8000',
  STORAGE_SERVICE_TOKEN: 'a-token-that-is-never-sent-anywhere',
  LOG_LEVEL: 'silent',
};

const describeRole = async (role: ServiceRole): Promise<OpenAPIObject> => {
  const env = readEnv({ ...SETTINGS, SERVICE_ROLE: role });
  const token = Secret.of(generateToken('service').text);
  const { AiModelModule, SnapshotKeys } = await import('../ai-model/index.js');
  const { describeStorage } = await import('../storage/index.js');
  const { ConsoleModule } = await import('../console/index.js');
  const storage = env.runsStorage ? describeStorage(token) : null;
  const modules = [
    ...(storage ? [storage] : []),
    ...(env.runsAiModel ? [AiModelModule.register(token, new SnapshotKeys(() => []))] : []),
    ...(storage ? [ConsoleModule.register(storage, null)] : []),
  ];
  const lane = new DirectLane(0);
  const adapter = createHttpAdapter(env, createLogger(env), lane, new ErrorFilter([]));
  const nest = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(
      env,
      modules.map((module) => ({ module })),
      lane,
      new ThisInstance(PRODUCT.version),
    ),
    adapter,
    { preview: true, logger: false, abortOnError: false },
  );
  return buildOpenApiDocument(nest, role);
};

/** The OpenAPI document of every role, without a database: nothing is started. */
export async function describeRoles(): Promise<Record<ServiceRole, OpenAPIObject>> {
  const documents = await Promise.all(SERVICE_ROLES.map(async (role) => [role, await describeRole(role)] as const));
  return Object.fromEntries(documents) as Record<ServiceRole, OpenAPIObject>;
}
