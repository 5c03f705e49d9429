import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { COUNT_TOKENS_PATH, MESSAGES_PATH } from '../../../contract/paths.js';
import { RequireScope } from '../../../platform/auth/require-scope.js';
import { CallService } from '../../calls/call.service.js';
import { ApiAnthropicErrors } from './anthropic-docs.js';
import { MessagesDialect } from './messages.dialect.js';
import { COUNT_BODY, MESSAGES_BODY } from './messages.schema.js';
import { TokenCount, TokenCounter } from './token-counter.js';

/** Anthropic's messages: its clients, and agents that are built on them, call any model by its alias. */
@ApiTags('calling models')
@RequireScope('invoke')
@Controller()
export class MessagesController {
  constructor(
    private readonly calls: CallService,
    private readonly counter: TokenCounter,
  ) {}

  /** Call a model in the words of Anthropic's Messages API; `stream: true` for server-sent events. */
  @Post(MESSAGES_PATH)
  @HttpCode(200)
  @ApiBody(MESSAGES_BODY)
  @ApiOkResponse({ description: "Anthropic's Message" })
  @ApiAnthropicErrors()
  create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer(request, reply, new MessagesDialect());
  }

  /** About how many tokens a request is: estimated from its texts and tools, without asking a provider. */
  @Post(COUNT_TOKENS_PATH)
  @HttpCode(200)
  @ApiBody(COUNT_BODY)
  @ApiOkResponse({ type: TokenCount })
  @ApiAnthropicErrors()
  count(@Req() request: FastifyRequest): Promise<TokenCount> {
    return this.counter.count(request.rawBody);
  }
}
