import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  AlertRuleCreate,
  AlertRuleList,
  AlertRuleQuery,
  AlertRuleUpdate,
  AlertRuleView,
} from '../../contract/alert-rule.contract.js';
import { HistoryList } from '../../contract/history.contract.js';
import { Page } from '../../contract/list-query.js';
import { ALERT_RULES_PATH } from '../../contract/paths.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiCreated, ApiProblems, IfMatchHeader, IfNoneMatchHeader } from '../../platform/http/api-docs.js';
import { etagOf, readIfMatch, sendTagged } from '../../platform/http/etag.js';
import { UuidParam } from '../../platform/http/validation.js';
import { AlertRuleService } from './alert-rule.service.js';

const send = (reply: FastifyReply, rule: AlertRuleView, ifNoneMatch?: string): AlertRuleView | undefined =>
  sendTagged(reply, rule, etagOf(rule.version), ifNoneMatch);

@ApiTags('alerts')
@Controller(ALERT_RULES_PATH)
export class AlertRuleController {
  constructor(private readonly rules: AlertRuleService) {}

  /** Save a new alert rule. */
  @Post()
  @RequireScope('alerts:write')
  @ApiCreated(AlertRuleView)
  @IdempotencyKeyHeader()
  @ApiProblems(400, 409, 422, 503)
  async create(
    @Body() body: AlertRuleCreate,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const rule = await this.rules.create(body, author);
    reply.header('location', `/${ALERT_RULES_PATH}/${rule.id}`);
    return send(reply, rule);
  }

  /** A page of alert rules, by name; all filters can be combined. */
  @Get()
  @RequireScope('alerts:read')
  @ApiOkResponse({ type: AlertRuleList })
  @ApiProblems(400, 503)
  list(@Query() query: AlertRuleQuery): Promise<AlertRuleList> {
    return this.rules.list(query);
  }

  /** One alert rule. */
  @Get(':id')
  @RequireScope('alerts:read')
  @IfNoneMatchHeader()
  @ApiOkResponse({ type: AlertRuleView })
  @ApiProblems(304, 400, 404, 503)
  async read(
    @UuidParam('id') id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.rules.read(id), ifNoneMatch);
  }

  /** Change an alert rule: absent fields keep their value, `null` stands for the default of the kind. */
  @Put(':id')
  @RequireScope('alerts:write')
  @IfMatchHeader()
  @ApiOkResponse({ type: AlertRuleView })
  @ApiProblems(400, 404, 409, 412, 503)
  async update(
    @UuidParam('id') id: string,
    @Body() body: AlertRuleUpdate,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.rules.update(id, body, author, readIfMatch(ifMatch)));
  }

  /** Remove an alert rule: what it found is resolved within a minute. */
  @Delete(':id')
  @RequireScope('alerts:write')
  @HttpCode(204)
  @IfMatchHeader()
  @ApiProblems(400, 404, 412, 503)
  remove(
    @UuidParam('id') id: string,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    return this.rules.remove(id, author, readIfMatch(ifMatch));
  }

  /** Who changed what and when, newest first, also of a deleted rule. */
  @Get(':id/history')
  @RequireScope('alerts:read')
  @ApiOkResponse({ type: HistoryList })
  @ApiProblems(400, 404, 503)
  history(@UuidParam('id') id: string, @Query() page: Page): Promise<HistoryList> {
    return this.rules.history(id, page);
  }
}
