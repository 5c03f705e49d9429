import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { HISTORY_KINDS, HistoryList, HistoryQuery, type HistoryKind } from '../../contract/history.contract.js';
import { HISTORY_PATH } from '../../contract/paths.js';
import type { Scope } from '../../contract/scopes.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { HistoryService } from './history.service.js';

/** Who may read of what; `admin` reads everything. */
const SCOPE_OF: Record<HistoryKind, Scope> = {
  config: 'models:read',
  prompt: 'prompts:read',
  prompt_label: 'prompts:read',
  token: 'admin',
  encryption_key: 'admin',
  export: 'admin',
  alert_rule: 'alerts:read',
  alert_silence: 'alerts:read',
  alert_channel: 'alerts:read',
  budget: 'alerts:read',
};

const readableKinds = (scopes: ReadonlySet<Scope>): HistoryKind[] =>
  HISTORY_KINDS.filter((kind) => scopes.has('admin') || scopes.has(SCOPE_OF[kind]));

@ApiTags('history')
@RequireScope('models:read', 'prompts:read', 'alerts:read', 'admin')
@Controller(HISTORY_PATH)
export class HistoryController {
  constructor(private readonly histories: HistoryService) {}

  /** Every change of what the token's scopes may read, newest first; all filters can be combined. */
  @Get()
  @ApiOkResponse({ type: HistoryList })
  @ApiProblems(400, 503)
  list(@Query() query: HistoryQuery, @Req() request: FastifyRequest): Promise<HistoryList> {
    const kinds = readableKinds(request.identity?.scopes ?? new Set());
    if (query.kind && !kinds.includes(query.kind)) {
      throw new AppError('scope_missing', { detail: `This needs a token with scope ${SCOPE_OF[query.kind]}.` });
    }
    return this.histories.list(query, kinds);
  }
}
