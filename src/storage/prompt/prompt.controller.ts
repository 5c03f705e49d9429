import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { HistoryList } from '../../contract/history.contract.js';
import { Page } from '../../contract/list-query.js';
import { PROMPTS_PATH } from '../../contract/paths.js';
import { PromptCreate, PromptUpdate } from '../../contract/prompt.contract.js';
import { PromptQuery, PromptSelection } from '../../contract/prompt-query.contract.js';
import { PromptList, PromptUsages, PromptView, ResolvedPrompt } from '../../contract/prompt-view.contract.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiCreated, ApiProblems, IfMatchHeader, IfNoneMatchHeader } from '../../platform/http/api-docs.js';
import { etagOf, readIfMatch, sendTagged } from '../../platform/http/etag.js';
import { UuidParam } from '../../platform/http/validation.js';
import { PromptService } from './prompt.service.js';
import { PromptUseService } from './prompt-use.service.js';
import { CanWaitForApplied } from '../instance/wait-for-applied.js';

const send = (reply: FastifyReply, prompt: PromptView, ifNoneMatch?: string): PromptView | undefined =>
  sendTagged(reply, prompt, etagOf(prompt.version), ifNoneMatch);

/** A label may stand elsewhere the next moment; a version is the same for ever. */
const sendResolved = (
  reply: FastifyReply,
  prompt: ResolvedPrompt,
  ifNoneMatch?: string,
): ResolvedPrompt | undefined => {
  const isFixed = prompt.resolved_by === 'version';
  reply.header('cache-control', isFixed ? 'private, max-age=31536000, immutable' : 'no-cache');
  return sendTagged(reply, prompt, `"${prompt.version}-${prompt.content_sha256}"`, ifNoneMatch);
};

@ApiTags('system prompts')
@Controller(PROMPTS_PATH)
export class PromptController {
  constructor(
    private readonly prompts: PromptService,
    private readonly uses: PromptUseService,
  ) {}

  /** Save a new prompt with its first version. */
  @Post()
  @CanWaitForApplied()
  @RequireScope('prompts:write')
  @ApiCreated(PromptView)
  @IdempotencyKeyHeader()
  @ApiProblems(400, 403, 409, 422, 503)
  async create(
    @Body() body: PromptCreate,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const prompt = await this.prompts.create(body, author);
    reply.header('location', `/${PROMPTS_PATH}/${prompt.id}`);
    return send(reply, prompt);
  }

  /** A page of prompts, without their texts; all filters can be combined. */
  @Get()
  @RequireScope('prompts:read')
  @ApiOkResponse({ type: PromptList })
  @ApiProblems(400, 503)
  list(@Query() query: PromptQuery): Promise<PromptList> {
    return this.prompts.list(query);
  }

  /** The prompt of this name, with its newest text. */
  @Get('by-name/:name')
  @RequireScope('prompts:read')
  @IfNoneMatchHeader()
  @ApiOkResponse({ type: PromptView })
  @ApiProblems(304, 404, 503)
  async readByName(
    @Param('name') name: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.prompts.readByName(name), ifNoneMatch);
  }

  /** What a caller gets: the version of a label, or a version by its number; `production` when neither is given. */
  @Get('by-name/:name/resolved')
  @RequireScope('prompts:read')
  @IfNoneMatchHeader()
  @ApiOkResponse({ type: ResolvedPrompt })
  @ApiProblems(304, 400, 404, 503)
  async resolve(
    @Param('name') name: string,
    @Query() selection: PromptSelection,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return sendResolved(reply, await this.uses.resolve(name, selection), ifNoneMatch);
  }

  /** One prompt, with its newest text. */
  @Get(':id')
  @RequireScope('prompts:read')
  @IfNoneMatchHeader()
  @ApiOkResponse({ type: PromptView })
  @ApiProblems(304, 400, 404, 503)
  async read(
    @UuidParam('id') id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.prompts.read(id), ifNoneMatch);
  }

  /** Change a prompt: absent fields keep their value, `null` clears; another text is a new version. */
  @Put(':id')
  @CanWaitForApplied()
  @RequireScope('prompts:write')
  @IfMatchHeader()
  @ApiOkResponse({ type: PromptView })
  @ApiProblems(400, 404, 409, 412, 422, 503)
  async update(
    @UuidParam('id') id: string,
    @Body() body: PromptUpdate,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.prompts.update(id, body, author, readIfMatch(ifMatch)));
  }

  /** Archive a prompt: it can be read and brought back, but not used. */
  @Delete(':id')
  @CanWaitForApplied()
  @RequireScope('prompts:write')
  @HttpCode(204)
  @IfMatchHeader()
  @ApiProblems(400, 404, 409, 412, 503)
  async archive(
    @UuidParam('id') id: string,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.prompts.archive(id, author, readIfMatch(ifMatch));
  }

  /** Bring an archived prompt back. */
  @Post(':id/unarchive')
  @CanWaitForApplied()
  @RequireScope('prompts:write')
  @HttpCode(200)
  @ApiOkResponse({ type: PromptView })
  @IdempotencyKeyHeader()
  @ApiProblems(400, 404, 503)
  async unarchive(
    @UuidParam('id') id: string,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.prompts.unarchive(id, author));
  }

  /** Who changed what and when, moves of labels included, newest first. */
  @Get(':id/history')
  @RequireScope('prompts:read')
  @ApiOkResponse({ type: HistoryList })
  @ApiProblems(400, 404, 503)
  history(@UuidParam('id') id: string, @Query() page: Page): Promise<HistoryList> {
    return this.prompts.history(id, page);
  }

  /** The models whose default prompt it is, by alias. */
  @Get(':id/usages')
  @RequireScope('prompts:read')
  @ApiOkResponse({ type: PromptUsages })
  @ApiProblems(400, 404, 503)
  usages(@UuidParam('id') id: string, @Query() page: Page): Promise<PromptUsages> {
    return this.uses.usages(id, page);
  }
}
