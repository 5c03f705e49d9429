import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CHAT_PATHS } from '../../contract/paths.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiOpenAiErrors } from '../openai-docs.js';
import { ChatService } from './chat.service.js';

const BODY = {
  schema: {
    type: 'object',
    required: ['model', 'messages'],
    properties: {
      model: { type: 'string', description: 'An alias' },
      messages: { type: 'array', minItems: 1, items: { type: 'object' } },
      stream: { type: 'boolean' },
      prompt_template: {
        type: 'object',
        required: ['name'],
        nullable: true,
        description:
          "A system prompt of the hub, put before the messages, in place of the model's own; production when neither label nor version is given",
        properties: {
          name: { type: 'string' },
          label: { type: 'string', nullable: true },
          version: { type: 'integer', nullable: true },
          variables: { type: 'object', additionalProperties: true, nullable: true },
        },
        additionalProperties: false,
      },
    },
    additionalProperties: true,
    description:
      "OpenAI's chat request and prompt_template; parameters that are not named here are passed on as they are.",
  },
};

/** OpenAI's chat completions: any OpenAI client calls any model by its alias. */
@ApiTags('calling models')
@RequireScope('invoke')
@Controller()
export class ChatController {
  constructor(private readonly chat: ChatService) {}

  /** Call a model; `stream: true` for server-sent events. */
  @Post([...CHAT_PATHS])
  @HttpCode(200)
  @ApiBody(BODY)
  @ApiOkResponse({ description: "OpenAI's answer, as the provider gave it" })
  @ApiOpenAiErrors()
  complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.chat.complete(request, reply, { alwaysStream: false });
  }

  /** The same, always streamed. */
  @Post('api/v1/chat/completions/stream')
  @HttpCode(200)
  @ApiBody(BODY)
  @ApiOkResponse({ description: 'Server-sent events of chat.completion.chunk, ended by [DONE]' })
  @ApiOpenAiErrors()
  stream(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.chat.complete(request, reply, { alwaysStream: true });
  }
}
