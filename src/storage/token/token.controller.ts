import { Body, Controller, Delete, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { TOKENS_PATH } from '../../contract/paths.js';
import { CreatedToken, TokenCreate, TokenList, TokenQuery } from '../../contract/token.contract.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiCreated, ApiProblems } from '../../platform/http/api-docs.js';
import { UuidParam } from '../../platform/http/validation.js';
import { TokenService } from './token.service.js';
import { CanWaitForApplied } from '../instance/wait-for-applied.js';

@ApiTags('tokens')
@RequireScope('admin')
@Controller(TOKENS_PATH)
export class TokenController {
  constructor(private readonly tokens: TokenService) {}

  /** Create a token; its text is in this answer and nowhere else. */
  @Post()
  @CanWaitForApplied()
  @ApiCreated(CreatedToken)
  @IdempotencyKeyHeader()
  @ApiProblems(400, 403, 409, 422, 503)
  async create(
    @Body() body: TokenCreate,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedToken> {
    const created = await this.tokens.create(body, author);
    reply.header('location', `/${TOKENS_PATH}/${created.id}`).header('cache-control', 'no-store');
    return created;
  }

  /** Tokens, newest first, revoked ones included. */
  @Get()
  @ApiOkResponse({ type: TokenList })
  @ApiProblems(400, 503)
  list(@Query() query: TokenQuery): Promise<TokenList> {
    return this.tokens.list(query);
  }

  /** Revoke a token: it ends at once here, and within seconds at every AI model service. */
  @Delete(':id')
  @CanWaitForApplied()
  @HttpCode(204)
  @ApiProblems(400, 404, 503)
  revoke(@UuidParam('id') id: string, @CurrentAuthor() author: Author): Promise<void> {
    return this.tokens.revoke(id, author);
  }
}
