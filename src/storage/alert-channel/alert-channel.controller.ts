import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  AlertChannelCreate,
  AlertChannelList,
  AlertChannelUpdate,
  AlertChannelView,
  ChannelTestResult,
} from '../../contract/alert-channel.contract.js';
import { ALERT_CHANNELS_PATH } from '../../contract/paths.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiCreated, ApiProblems, IfMatchHeader, IfNoneMatchHeader } from '../../platform/http/api-docs.js';
import { etagOf, readIfMatch, sendTagged } from '../../platform/http/etag.js';
import { UuidParam } from '../../platform/http/validation.js';
import { AlertChannelService } from './alert-channel.service.js';
import { ChannelTester } from './channel-tester.js';

const send = (reply: FastifyReply, channel: AlertChannelView, ifNoneMatch?: string): AlertChannelView | undefined =>
  sendTagged(reply, channel, etagOf(channel.version), ifNoneMatch);

@ApiTags('alerts')
@Controller(ALERT_CHANNELS_PATH)
export class AlertChannelController {
  constructor(
    private readonly channels: AlertChannelService,
    private readonly tester: ChannelTester,
  ) {}

  /** Save a new channel. Whoever is told of nothing yet is told from now on of what is wrong. */
  @Post()
  @RequireScope('alerts:write')
  @ApiCreated(AlertChannelView)
  @IdempotencyKeyHeader()
  @ApiProblems(400, 409, 422, 503)
  async create(
    @Body() body: AlertChannelCreate,
    @CurrentAuthor() author: Author,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const channel = await this.channels.create(body, author);
    reply.header('location', `/${ALERT_CHANNELS_PATH}/${channel.id}`);
    return send(reply, channel);
  }

  /** All channels, by name. */
  @Get()
  @RequireScope('alerts:read')
  @ApiOkResponse({ type: AlertChannelList })
  @ApiProblems(503)
  list(): Promise<AlertChannelList> {
    return this.channels.list();
  }

  /** One channel. */
  @Get(':id')
  @RequireScope('alerts:read')
  @IfNoneMatchHeader()
  @ApiOkResponse({ type: AlertChannelView })
  @ApiProblems(304, 400, 404, 503)
  async read(
    @UuidParam('id') id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.channels.read(id), ifNoneMatch);
  }

  /** Change a channel: absent fields keep their value, `null` clears. Messages that wait for it are tried again at once. */
  @Put(':id')
  @RequireScope('alerts:write')
  @IfMatchHeader()
  @ApiOkResponse({ type: AlertChannelView })
  @ApiProblems(400, 404, 409, 412, 422, 503)
  async update(
    @UuidParam('id') id: string,
    @Body() body: AlertChannelUpdate,
    @CurrentAuthor() author: Author,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return send(reply, await this.channels.update(id, body, author, readIfMatch(ifMatch)));
  }

  /** Remove a channel: messages that wait for it are given up. */
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
    return this.channels.remove(id, author, readIfMatch(ifMatch));
  }

  /** Send a test message at once, past the queue; ten seconds at most. */
  @Post(':id/test')
  @RequireScope('alerts:write')
  @HttpCode(200)
  @ApiOkResponse({ type: ChannelTestResult })
  @ApiProblems(400, 404, 424, 503)
  test(@UuidParam('id') id: string): Promise<ChannelTestResult> {
    return this.tester.test(id);
  }
}
