import type { IncomingMessage } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CHAT_PATHS, EMBEDDINGS_PATH, MESSAGES_PATH, RESPONSES_PATH } from '../../contract/paths.js';
import type { Identity } from '../../platform/auth/identity.js';
import { tokenOf } from '../../platform/auth/request-token.js';
import { hashToken } from '../../platform/auth/token-text.js';
import type { CallReply, CallRequest } from '../../platform/http/call-exchange.js';
import { DirectLane } from '../../platform/http/direct-lane.js';
import { CallService } from '../calls/call.service.js';
import type { Dialect } from '../calls/dialect.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { CHAT_DIALECT } from './chat/chat.dialect.js';
import { EMBEDDINGS_DIALECT } from './embeddings/embeddings.dialect.js';
import { MessagesDialect } from './messages/messages.dialect.js';
import { ResponsesDialect } from './responses/responses.dialect.js';

/** Which calls may take the direct lane. Their controllers take what the lane leaves, and document them. */
@Injectable()
export class DirectCalls implements OnModuleInit {
  constructor(
    private readonly lane: DirectLane,
    private readonly calls: CallService,
    private readonly directory: ModelDirectory,
  ) {}

  onModuleInit(): void {
    for (const path of CHAT_PATHS) this.open(path, () => CHAT_DIALECT);
    this.open(EMBEDDINGS_PATH, () => EMBEDDINGS_DIALECT);
    this.open(RESPONSES_PATH, () => new ResponsesDialect());
    this.open(MESSAGES_PATH, ({ raw }, { id }) => {
      // The name that Anthropic's clients look for.
      raw.setHeader('request-id', id);
      return new MessagesDialect();
    });
  }

  private open(path: string, dialectOf: (reply: CallReply, request: CallRequest) => Dialect): void {
    this.lane.open(`/${path}`, this.admit, (request, reply) =>
      this.calls.answer(request, reply, dialectOf(reply, request)),
    );
  }

  /** As the guard does, for tokens that are known and may call. */
  private readonly admit = (request: IncomingMessage): Identity | null => {
    const token = tokenOf(request);
    if (!token) return null;
    const identity = this.directory.knownIdentity(hashToken(token));
    return identity?.scopes.has('invoke') ? identity : null;
  };
}
