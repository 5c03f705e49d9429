import { Body, Controller, Get, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { DiffQuery } from '../../contract/history.contract.js';
import { Page } from '../../contract/list-query.js';
import { PROMPTS_PATH } from '../../contract/paths.js';
import { PromptRestore, PromptVersionCreate } from '../../contract/prompt.contract.js';
import {
  PromptDiff,
  PromptVersionList,
  PromptVersionView,
  SavedPromptVersion,
} from '../../contract/prompt-view.contract.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiCreated, ApiProblems } from '../../platform/http/api-docs.js';
import { UuidParam, VersionParam } from '../../platform/http/validation.js';
import { PromptService } from './prompt.service.js';
import { CanWaitForApplied } from '../instance/wait-for-applied.js';

/** 201 with `Location`, or 200 when there was nothing to add. */
const send = (reply: FastifyReply, id: string, saved: SavedPromptVersion): SavedPromptVersion => {
  reply.status(saved.unchanged ? 200 : 201);
  reply.header('location', `/${PROMPTS_PATH}/${id}/versions/${saved.version}`);
  return saved;
};

@ApiTags('system prompts')
@Controller(`${PROMPTS_PATH}/:id`)
export class PromptVersionController {
  constructor(private readonly prompts: PromptService) {}

  /** Save a new version. With `base_version` it is refused when somebody else has saved one since. */
  @Post('versions')
  @CanWaitForApplied()
  @RequireScope('prompts:write')
  @ApiCreated(SavedPromptVersion)
  @ApiOkResponse({ type: SavedPromptVersion, description: 'The newest version has this content already' })
  @IdempotencyKeyHeader()
  @ApiProblems(400, 404, 409, 422, 503)
  async add(
    @UuidParam('id') id: string,
    @Body() body: PromptVersionCreate,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SavedPromptVersion> {
    return send(reply, id, await this.prompts.addVersion(id, body, author));
  }

  /** The versions without their texts, newest first. */
  @Get('versions')
  @RequireScope('prompts:read')
  @ApiOkResponse({ type: PromptVersionList })
  @ApiProblems(400, 404, 503)
  list(@UuidParam('id') id: string, @Query() page: Page): Promise<PromptVersionList> {
    return this.prompts.versions(id, page);
  }

  /** One version; its content never changes. */
  @Get('versions/:number')
  @RequireScope('prompts:read')
  @ApiOkResponse({ type: PromptVersionView })
  @ApiProblems(400, 404, 503)
  read(@UuidParam('id') id: string, @VersionParam('number') version: number): Promise<PromptVersionView> {
    return this.prompts.version(id, version);
  }

  /** What differs between two versions. */
  @Get('diff')
  @RequireScope('prompts:read')
  @ApiOkResponse({ type: PromptDiff })
  @ApiProblems(400, 404, 503)
  diff(@UuidParam('id') id: string, @Query() { from, to }: DiffQuery): Promise<PromptDiff> {
    return this.prompts.diff(id, from, to);
  }

  /** Save a new version with the content of this one. */
  @Post('versions/:number/restore')
  @CanWaitForApplied()
  @RequireScope('prompts:write')
  @ApiCreated(SavedPromptVersion)
  @ApiOkResponse({ type: SavedPromptVersion, description: 'The newest version has this content already' })
  @IdempotencyKeyHeader()
  @ApiProblems(400, 404, 409, 422, 503)
  async restore(
    @UuidParam('id') id: string,
    @VersionParam('number') version: number,
    @Body() body: PromptRestore,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SavedPromptVersion> {
    return send(reply, id, await this.prompts.restore(id, version, body, author));
  }
}
