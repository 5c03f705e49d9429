import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RESPONSES_PATH } from '../../../contract/paths.js';
import { RequireScope } from '../../../platform/auth/require-scope.js';
import { CallService } from '../../calls/call.service.js';
import { ApiOpenAiErrors } from '../../openai-docs.js';
import { ResponsesDialect } from './responses.dialect.js';
import { RESPONSES_BODY } from './responses.schema.js';

/** OpenAI's Responses: its users and agents call any model by its alias. */
@ApiTags('calling models')
@RequireScope('invoke')
@Controller()
export class ResponsesController {
  constructor(private readonly calls: CallService) {}

  /** Call a model in the words of OpenAI's Responses API; `stream: true` for server-sent events. Nothing is stored. */
  @Post(RESPONSES_PATH)
  @HttpCode(200)
  @ApiBody(RESPONSES_BODY)
  @ApiOkResponse({ description: "OpenAI's Response, with store: false" })
  @ApiOpenAiErrors()
  create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer(request, reply, new ResponsesDialect());
  }
}
