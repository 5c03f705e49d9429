import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  AlertSilenceCreate,
  AlertSilenceList,
  AlertSilenceQuery,
  AlertSilenceView,
} from '../../contract/alert.contract.js';
import { ALERT_SILENCES_PATH } from '../../contract/paths.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { UuidParam } from '../../platform/http/validation.js';
import { SilenceService } from './silence.service.js';

@ApiTags('alerts')
@Controller(ALERT_SILENCES_PATH)
export class SilenceController {
  constructor(private readonly silences: SilenceService) {}

  /** Have nobody told for a while: of a rule, a subject, both or everything. What goes on after it is told then. */
  @Post()
  @RequireScope('alerts:write')
  @ApiCreatedResponse({ type: AlertSilenceView })
  @IdempotencyKeyHeader()
  @ApiProblems(400, 409, 422, 503)
  create(@Body() body: AlertSilenceCreate, @CurrentAuthor() author: Author): Promise<AlertSilenceView> {
    return this.silences.create(body, author);
  }

  /** A page of silences, those that are over included; the one that ends last comes first. */
  @Get()
  @RequireScope('alerts:read')
  @ApiOkResponse({ type: AlertSilenceList })
  @ApiProblems(400, 503)
  list(@Query() query: AlertSilenceQuery): Promise<AlertSilenceList> {
    return this.silences.list(query);
  }

  /** End a silence now; it stays in the list. */
  @Delete(':id')
  @RequireScope('alerts:write')
  @HttpCode(204)
  @ApiProblems(400, 404, 503)
  end(@UuidParam('id') id: string, @CurrentAuthor() author: Author): Promise<void> {
    return this.silences.end(id, author);
  }
}
