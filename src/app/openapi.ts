import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { ServiceRole } from '../platform/config/env.js';
import { Problem, ProblemField } from '../platform/http/api-docs.js';
import { PRODUCT } from './product.js';

const TITLES: Record<ServiceRole, string> = {
  all: 'AI Model Hub',
  storage: 'AI Model Hub: storage service',
  'ai-model': 'AI Model Hub: AI model service',
};

/** `/things/*` of the router is `/things/{alias}` to a reader. */
const nameWildcards = (document: OpenAPIObject): OpenAPIObject => {
  const paths = Object.entries(document.paths).map(([path, item]) => {
    const named = JSON.parse(JSON.stringify(item).replaceAll('"name":"*"', '"name":"alias"')) as typeof item;
    return [path.replace(/\/\{path\}$/, '/{alias}'), named];
  });
  return { ...document, paths: Object.fromEntries(paths) as OpenAPIObject['paths'] };
};

/** Swagger keeps one description of an answer, so a header that is the same everywhere is added here. */
const nameAppliedHeader = (document: OpenAPIObject): OpenAPIObject => {
  const description =
    'With `?wait=applied`: how many instances answer calls from this change, such as `4/4`; `unknown`';
  const header = { 'x-hub-applied': { description, schema: { type: 'string' as const } } };
  for (const operation of Object.values(document.paths).flatMap(({ post, put, delete: remove }) => [
    post,
    put,
    remove,
  ])) {
    const canWait = operation?.parameters?.some((parameter) => 'name' in parameter && parameter.name === 'wait');
    if (!operation || !canWait) continue;
    for (const [status, answer] of Object.entries(operation.responses))
      if (answer && status.startsWith('2') && !('$ref' in answer)) answer.headers = { ...answer.headers, ...header };
  }
  return document;
};

/** The OpenAPI document of this role. */
export const buildOpenApiDocument = (app: INestApplication, role: ServiceRole): OpenAPIObject => {
  const configuration = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(TITLES[role])
    .setVersion(PRODUCT.version)
    .setDescription(
      'Errors are `application/problem+json` (RFC 9457); under `/v1`, `/api/v1/chat` and `/api/v1/models` they have the shape of OpenAI, under `/v1/messages` that of Anthropic.',
    )
    .addBearerAuth({ type: 'http', scheme: 'bearer' }, 'token')
    .build();
  const document = SwaggerModule.createDocument(app, configuration, { extraModels: [Problem, ProblemField] });
  return nameWildcards(nameAppliedHeader(document));
};
