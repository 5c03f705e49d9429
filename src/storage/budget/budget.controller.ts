import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { BudgetCreate, BudgetList, BudgetUpdate, BudgetView } from '../../contract/budget.contract.js';
import { BUDGETS_PATH } from '../../contract/paths.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiCreated, ApiProblems, IfMatchHeader } from '../../platform/http/api-docs.js';
import { etagOf, readIfMatch } from '../../platform/http/etag.js';
import { UuidParam } from '../../platform/http/validation.js';
import { CanWaitForApplied } from '../instance/wait-for-applied.js';
import { BudgetService } from './budget.service.js';

/** The ETag is of the version alone: what was spent goes on while it stays, so there is no 304. */
const send = (reply: FastifyReply, budget: BudgetView): BudgetView => {
  reply.header('etag', etagOf(budget.version));
  return budget;
};

@ApiTags('budgets')
@Controller(BUDGETS_PATH)
export class BudgetController {
  constructor(private readonly budgets: BudgetService) {}

  /** Create a budget; what is spent already in the period that is running counts. */
  @Post()
  @CanWaitForApplied()
  @RequireScope('alerts:write')
  @ApiCreated(BudgetView)
  @IdempotencyKeyHeader()
  @ApiProblems(400, 409, 422, 503)
  async create(
    @Body() body: BudgetCreate,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BudgetView> {
    const budget = await this.budgets.create(body, author);
    reply.header('location', `/${BUDGETS_PATH}/${budget.id}`);
    return send(reply, budget);
  }

  /** Every budget with what was spent, by name. */
  @Get()
  @RequireScope('alerts:read')
  @ApiOkResponse({ type: BudgetList })
  @ApiProblems(503)
  list(): Promise<BudgetList> {
    return this.budgets.list();
  }

  /** One budget. */
  @Get(':id')
  @RequireScope('alerts:read')
  @ApiOkResponse({ type: BudgetView })
  @ApiProblems(400, 404, 503)
  async read(@UuidParam('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<BudgetView> {
    return send(reply, await this.budgets.read(id));
  }

  /** Change a budget: absent fields keep their value. A raised limit lets calls through again, a lowered one may end them. */
  @Put(':id')
  @CanWaitForApplied()
  @RequireScope('alerts:write')
  @IfMatchHeader()
  @ApiOkResponse({ type: BudgetView })
  @ApiProblems(400, 404, 409, 412, 503)
  async update(
    @UuidParam('id') id: string,
    @Body() body: BudgetUpdate,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BudgetView> {
    return send(reply, await this.budgets.update(id, body, author, readIfMatch(ifMatch)));
  }

  /** Remove a budget: it refuses nothing any more. */
  @Delete(':id')
  @CanWaitForApplied()
  @RequireScope('alerts:write')
  @HttpCode(204)
  @IfMatchHeader()
  @ApiProblems(400, 404, 412, 503)
  remove(
    @UuidParam('id') id: string,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    return this.budgets.remove(id, author, readIfMatch(ifMatch));
  }
}
