import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EMBEDDINGS_PATH } from '../../../contract/paths.js';
import { RequireScope } from '../../../platform/auth/require-scope.js';
import { CallService } from '../../calls/call.service.js';
import { ApiOpenAiErrors } from '../../openai-docs.js';
import { EMBEDDINGS_DIALECT } from './embeddings.dialect.js';
import { EMBEDDINGS_BODY } from './embeddings.schema.js';

/** OpenAI's embeddings: vectors of texts, by the alias of a model that makes them. */
@ApiTags('calling models')
@RequireScope('invoke')
@Controller()
export class EmbeddingsController {
  constructor(private readonly calls: CallService) {}

  /** Make vectors of texts. */
  @Post(EMBEDDINGS_PATH)
  @HttpCode(200)
  @ApiBody(EMBEDDINGS_BODY)
  @ApiOkResponse({ description: "OpenAI's answer, its vectors in the encoding_format that was asked for" })
  @ApiOpenAiErrors()
  embed(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer(request, reply, EMBEDDINGS_DIALECT);
  }
}
