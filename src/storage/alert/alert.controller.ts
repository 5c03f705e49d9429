import { Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AlertList, AlertQuery, AlertView } from '../../contract/alert.contract.js';
import { ALERTS_PATH } from '../../contract/paths.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { UuidParam } from '../../platform/http/validation.js';
import { AlertService } from './alert.service.js';

@ApiTags('alerts')
@Controller(ALERTS_PATH)
export class AlertController {
  constructor(private readonly alerts: AlertService) {}

  /** A page of alerts: open ones first, then the newest; all filters can be combined. */
  @Get()
  @RequireScope('alerts:read')
  @ApiOkResponse({ type: AlertList })
  @ApiProblems(400, 503)
  list(@Query() query: AlertQuery): Promise<AlertList> {
    return this.alerts.list(query);
  }

  /** One alert. */
  @Get(':id')
  @RequireScope('alerts:read')
  @ApiOkResponse({ type: AlertView })
  @ApiProblems(400, 404, 503)
  read(@UuidParam('id') id: string): Promise<AlertView> {
    return this.alerts.read(id);
  }

  /** Say that you take care of it: no more reminders. Repeated, it stays as it is. */
  @Post(':id/acknowledge')
  @RequireScope('alerts:write')
  @HttpCode(200)
  @IdempotencyKeyHeader()
  @ApiOkResponse({ type: AlertView })
  @ApiProblems(400, 404, 409, 422, 503)
  acknowledge(@UuidParam('id') id: string, @CurrentAuthor() author: Author): Promise<AlertView> {
    return this.alerts.acknowledge(id, author);
  }

  /** Take that back: reminders go on. */
  @Delete(':id/acknowledge')
  @RequireScope('alerts:write')
  @HttpCode(204)
  @ApiProblems(400, 404, 503)
  withdraw(@UuidParam('id') id: string, @CurrentAuthor() author: Author): Promise<void> {
    return this.alerts.withdraw(id, author);
  }
}
