import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { DiffQuery, HistoryList, VersionDiff } from '../../contract/history.contract.js';
import { Page } from '../../contract/list-query.js';
import {
  ModelConfigRestore,
  ModelConfigUpdate,
  NewModelConfig,
  withPreset,
} from '../../contract/model-config.contract.js';
import { ActiveModelList, ModelConfigList, ModelConfigView } from '../../contract/model-config-view.contract.js';
import { ModelConfigQuery } from '../../contract/model-config-query.contract.js';
import { CONFIGS_PATH, STORAGE_PREFIX } from '../../contract/paths.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiCreated, ApiProblems, IfMatchHeader, IfNoneMatchHeader } from '../../platform/http/api-docs.js';
import { etagOf, readIfMatch, sendTagged } from '../../platform/http/etag.js';
import { UuidParam, VersionParam } from '../../platform/http/validation.js';
import { AnswerCache } from '../cache/answer-cache.js';
import { ModelConfigService } from './model-config.service.js';
import { CanWaitForApplied } from '../instance/wait-for-applied.js';

const send = (reply: FastifyReply, config: ModelConfigView, ifNoneMatch?: string): ModelConfigView | undefined =>
  sendTagged(reply, config, etagOf(config.version), ifNoneMatch);

@ApiTags('model configurations')
@Controller(STORAGE_PREFIX)
export class ModelConfigController {
  constructor(
    private readonly configs: ModelConfigService,
    private readonly answers: AnswerCache,
  ) {}

  /** Save a new model configuration. */
  @Post('configs')
  @CanWaitForApplied()
  @RequireScope('models:write')
  @ApiCreated(ModelConfigView)
  @IdempotencyKeyHeader()
  @ApiProblems(400, 409, 422, 503)
  async create(
    @Body() body: NewModelConfig,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const config = await this.configs.create(withPreset(body), author);
    reply.header('location', `/${CONFIGS_PATH}/${config.id}`);
    return send(reply, config);
  }

  /** A page of configurations; all filters can be combined. */
  @Get('configs')
  @RequireScope('models:read')
  @ApiOkResponse({ type: ModelConfigList })
  @ApiProblems(400, 503)
  list(
    @Query() query: ModelConfigQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ModelConfigList | Buffer> {
    return this.answers.send(reply, { route: 'configs', query }, () => this.configs.list(query));
  }

  /** The configuration with this alias; slashes in it may be sent as they are. */
  @Get('configs/by-alias/*')
  @RequireScope('models:read')
  @IfNoneMatchHeader()
  @ApiOkResponse({ type: ModelConfigView })
  @ApiProblems(304, 404, 503)
  async readByAlias(
    @Param('*') alias: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const question = { route: 'by-alias', query: { alias } };
    return send(reply, await this.answers.read(question, () => this.configs.readByAlias(alias)), ifNoneMatch);
  }

  /** One configuration. */
  @Get('configs/:id')
  @RequireScope('models:read')
  @IfNoneMatchHeader()
  @ApiOkResponse({ type: ModelConfigView })
  @ApiProblems(304, 400, 404, 503)
  async read(
    @UuidParam('id') id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.configs.read(id), ifNoneMatch);
  }

  /** Change a configuration: absent fields keep their value, `null` clears. */
  @Put('configs/:id')
  @CanWaitForApplied()
  @RequireScope('models:write')
  @IfMatchHeader()
  @ApiOkResponse({ type: ModelConfigView })
  @ApiProblems(400, 404, 409, 412, 422, 503)
  async update(
    @UuidParam('id') id: string,
    @Body() body: ModelConfigUpdate,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.configs.update(id, body, author, readIfMatch(ifMatch)));
  }

  /** Remove a configuration: its alias is not callable any more. */
  @Delete('configs/:id')
  @CanWaitForApplied()
  @RequireScope('models:write')
  @HttpCode(204)
  @IfMatchHeader()
  @ApiProblems(400, 404, 412, 503)
  remove(
    @UuidParam('id') id: string,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    return this.configs.remove(id, author, readIfMatch(ifMatch));
  }

  /** Who changed what and when, newest first, also of a deleted configuration; secrets as fingerprints. */
  @Get('configs/:id/history')
  @RequireScope('models:read')
  @ApiOkResponse({ type: HistoryList })
  @ApiProblems(400, 404, 503)
  history(@UuidParam('id') id: string, @Query() page: Page): Promise<HistoryList> {
    return this.configs.history(id, page);
  }

  /** What differs between two versions. */
  @Get('configs/:id/history/diff')
  @RequireScope('models:read')
  @ApiOkResponse({ type: VersionDiff })
  @ApiProblems(400, 404, 503)
  diff(@UuidParam('id') id: string, @Query() query: DiffQuery): Promise<VersionDiff> {
    return this.configs.diff(id, query.from, query.to);
  }

  /** Give the configuration the fields of that version again; a deleted one comes back. Secrets stay as they are. */
  @Post('configs/:id/history/:version/restore')
  @CanWaitForApplied()
  @RequireScope('models:write')
  @HttpCode(200)
  @IfMatchHeader()
  @ApiOkResponse({ type: ModelConfigView })
  @ApiProblems(400, 404, 409, 412, 422, 503)
  async restore(
    @UuidParam('id') id: string,
    @VersionParam('version') version: number,
    @Body() secrets: ModelConfigRestore,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.configs.restore(id, version, secrets, author, readIfMatch(ifMatch)));
  }

  /** Every configuration that can be called, by priority, then alias. */
  @Get('active')
  @RequireScope('models:read')
  @ApiOkResponse({ type: ActiveModelList })
  @ApiProblems(503)
  active(): Promise<ActiveModelList> {
    return this.configs.active();
  }
}
