import { Body, Controller, Get, Headers, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiExtraModels, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  DOCUMENT_SECTIONS,
  type DocumentSection,
  ExportQuery,
  ImportEnvelope,
  ImportPlan,
  ImportQuery,
  SealedExport,
  type TextFormat,
} from '../../contract/declarative.contract.js';
import { STORAGE_PREFIX } from '../../contract/paths.js';
import type { Scope } from '../../contract/scopes.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { ExportService } from './export.service.js';
import { ImportService } from './import.service.js';
import { readImportRequest } from './import-request.js';
import { CanWaitForApplied } from '../instance/wait-for-applied.js';

const CONTENT_TYPES: Record<TextFormat, string> = {
  yaml: 'application/yaml; charset=utf-8',
  json: 'application/json; charset=utf-8',
};
const READ_SCOPE: Record<DocumentSection, Scope> = {
  models: 'models:read',
  prompts: 'prompts:read',
  alert_rules: 'alerts:read',
};

const ANY_DOCUMENT = { type: 'object', additionalProperties: true } as const;
const DOCUMENT_CONTENT = {
  'application/yaml': { schema: { type: 'string' } },
  'application/json': { schema: ANY_DOCUMENT },
} as const;
const IMPORT_BODY = {
  schema: { oneOf: [{ $ref: getSchemaPath(ImportEnvelope) }, ANY_DOCUMENT] },
  description:
    'The document itself, in YAML (application/yaml) or JSON; or, in JSON, the document with what belongs to it: the values of its variables, the passphrase of its secrets.',
};

const formatOf = (asked: TextFormat | undefined, accept: string | undefined): TextFormat =>
  asked ?? (accept !== undefined && /\bjson\b/.test(accept) && !/\byaml\b/.test(accept) ? 'json' : 'yaml');

/** The sections that were asked for, or all that may be read. Throws `scope_missing`. */
const sectionsOf = (asked: string | undefined, { scopes }: Author): DocumentSection[] => {
  const wanted = asked?.split(',') ?? DOCUMENT_SECTIONS.filter((section) => scopes.has(READ_SCOPE[section]));
  const sections = DOCUMENT_SECTIONS.filter((section) => wanted.includes(section));
  const missing = sections.filter((section) => !scopes.has(READ_SCOPE[section]));
  if (missing.length === 0) return sections;
  const names = missing.map((section) => READ_SCOPE[section]).join(' and ');
  throw new AppError('scope_missing', { detail: `This needs a token with scope ${names}.` });
};

const send = (reply: FastifyReply, format: TextFormat, text: string): string => {
  reply.headers({
    'content-type': CONTENT_TYPES[format],
    'content-disposition': `attachment; filename="ai-model-hub.${format}"`,
    'cache-control': 'no-store',
    vary: 'accept',
  });
  return text;
};

/** The whole configuration as one document. */
@ApiTags('export and import')
@ApiExtraModels(ImportEnvelope)
@Controller(STORAGE_PREFIX)
export class DeclarativeController {
  constructor(
    private readonly exports: ExportService,
    private readonly imports: ImportService,
  ) {}

  /** Everything your scopes may read, without secrets: each is a reference to a variable. The same state, the same bytes. */
  @Get('export')
  @RequireScope('models:read', 'prompts:read', 'alerts:read')
  @ApiOkResponse({ content: DOCUMENT_CONTENT, description: 'The document' })
  @ApiProblems(400, 422, 503)
  async export(
    @Query() query: ExportQuery,
    @CurrentAuthor() author: Author,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const format = formatOf(query.format, accept);
    return send(reply, format, await this.exports.export(sectionsOf(query.sections, author), format));
  }

  /** Everything, with the secrets sealed to a passphrase. It is in the history. */
  @Post('export')
  @RequireScope('admin')
  @HttpCode(200)
  @ApiOkResponse({ content: DOCUMENT_CONTENT, description: 'The document' })
  @ApiProblems(400, 422, 429, 503)
  async exportSealed(
    @Body() { passphrase, format = 'yaml' }: SealedExport,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return send(reply, format, await this.exports.exportSealed(passphrase, format, author));
  }

  /**
   * Make the hub what a document says, all or nothing: objects are found by alias or name; absent fields keep their
   * value, `null` clears. With `dry_run` the answer is the plan, and nothing is changed.
   */
  @Post('import')
  @CanWaitForApplied()
  @RequireScope('models:write', 'prompts:write', 'alerts:write')
  @HttpCode(200)
  @ApiConsumes('application/json', 'application/yaml')
  @ApiBody(IMPORT_BODY)
  @IdempotencyKeyHeader()
  @ApiOkResponse({ type: ImportPlan })
  @ApiProblems(400, 403, 409, 413, 422, 429, 503)
  async import(
    @Req() request: FastifyRequest,
    @Query() query: ImportQuery,
    @CurrentAuthor() author: Author,
  ): Promise<ImportPlan> {
    return this.imports.import(await readImportRequest(request, query), query, author);
  }
}
