import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { ProviderLoader } from '../providers/provider-loader.js';
import { UsageBuffer } from '../usage/usage-buffer.js';
import { CallDeadline } from './call-deadline.js';
import { CallTracker } from './call-tracker.js';
import { requireCallable } from './callable.js';
import { ChatCall } from './chat-call.js';
import { readChatRequest } from './chat-request.js';
import { SystemPrompts } from './system-prompts.js';

const DEFAULT_TIMEOUT_SECONDS = 60;

/** Calls a model by its alias: nothing here waits for storage, as long as the alias and the prompt are known. */
@Injectable()
export class ChatService {
  constructor(
    private readonly directory: ModelDirectory,
    private readonly prompts: SystemPrompts,
    private readonly providers: ProviderLoader,
    private readonly tracker: CallTracker,
    private readonly usage: UsageBuffer,
  ) {}

  async complete(request: FastifyRequest, reply: FastifyReply, options: { alwaysStream: boolean }): Promise<void> {
    const received = readChatRequest(request.rawBody, options);
    const found = this.directory.find(received.alias);
    const model = found instanceof Promise ? await found : found;
    requireCallable(model, received);
    const applied = this.prompts.apply(received, model, request.identity);
    const { incoming, prompt } = applied instanceof Promise ? await applied : applied;
    const loaded = this.providers.chatProvider(model.provider);
    const provider = loaded instanceof Promise ? await loaded : loaded;
    const deadline = new CallDeadline((model.request_timeout ?? DEFAULT_TIMEOUT_SECONDS) * 1000, incoming);
    this.tracker.begin(deadline);
    // On the response: the request's own 'close' comes as soon as its body is read.
    if (reply.raw.destroyed) deadline.abandon();
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) deadline.abandon();
    });
    try {
      await new ChatCall({ incoming, prompt, model, provider, deadline, request, reply, usage: this.usage }).run();
    } finally {
      this.tracker.end(deadline);
    }
  }
}
