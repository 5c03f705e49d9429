import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Injectable, Param, StreamableFile } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';
import { RequireToken } from '../platform/auth/require-scope.js';
import { AppError } from '../platform/errors/app-error.js';

/** Holds the document, which can be built only when all routes are known. */
@Injectable()
export class OpenApiDocument {
  private document: OpenAPIObject | null = null;

  set(document: OpenAPIObject): void {
    this.document = document;
  }

  get(): OpenAPIObject {
    if (!this.document) throw new Error('The OpenAPI document is not built yet.');
    return this.document;
  }
}

const ASSETS: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};
const assetDirectory = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const START = `window.onload = () => SwaggerUIBundle({ url: '/docs/openapi.json', dom_id: '#ui', persistAuthorization: false });`;
const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>AI Model Hub API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`;

/** The OpenAPI document of this role, and a page to read it with. A browser signs in with any name and a token as password. */
@ApiExcludeController()
@RequireToken({ alsoBasic: true })
@Controller('docs')
export class DocsController {
  constructor(private readonly document: OpenApiDocument) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }

  @Get('openapi.json')
  json(): OpenAPIObject {
    return this.document.get();
  }

  @Get('start.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  start(): string {
    return START;
  }

  @Get(':asset')
  asset(@Param('asset') name: string): StreamableFile {
    const type = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
    if (!type) throw new AppError('route_not_found');
    return new StreamableFile(createReadStream(join(assetDirectory, name)), { type });
  }
}
