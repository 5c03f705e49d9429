import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CHAT_PATHS } from '../../../contract/paths.js';
import { RequireScope } from '../../../platform/auth/require-scope.js';
import { CallService } from '../../calls/call.service.js';
import { ApiOpenAiErrors } from '../../openai-docs.js';
import { CHAT_DIALECT, STREAMED_CHAT_DIALECT } from './chat.dialect.js';
import { CHAT_BODY } from './chat.schema.js';

/** OpenAI's chat completions: any OpenAI client calls any model by its alias. */
@ApiTags('calling models')
@RequireScope('invoke')
@Controller()
export class ChatController {
  constructor(private readonly calls: CallService) {}

  /** Call a model; `stream: true` for server-sent events. */
  @Post([...CHAT_PATHS])
  @HttpCode(200)
  @ApiBody(CHAT_BODY)
  @ApiOkResponse({ description: "OpenAI's answer, as the provider gave it" })
  @ApiOpenAiErrors()
  complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer(request, reply, CHAT_DIALECT);
  }

  /** The same, always streamed. */
  @Post('api/v1/chat/completions/stream')
  @HttpCode(200)
  @ApiBody(CHAT_BODY)
  @ApiOkResponse({ description: 'Server-sent events of chat.completion.chunk, ended by [DONE]' })
  @ApiOpenAiErrors()
  stream(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer(request, reply, STREAMED_CHAT_DIALECT);
  }
}
