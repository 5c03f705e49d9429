import type { OutgoingHttpHeaders } from 'node:http';
import { Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isPlainObject } from '../../contract/fields.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { ChatAnswer, ChatProvider, StreamedAnswer, WholeAnswer } from '../providers/provider.js';
import { ProviderError } from '../providers/provider-error.js';
import type { UsageBuffer } from '../usage/usage-buffer.js';
import { type FinishedCall, sourceOf } from '../usage/usage-record.js';
import type { CallDeadline } from './call-deadline.js';
import { failureOf } from './call-failure.js';
import type { IncomingChat } from './chat-request.js';
import { StreamForwarder } from './stream-forwarder.js';
import { ChatStreamTap } from './wire/chat-stream-tap.js';
import { weighText } from './wire/text-weight.js';
import { estimateUsage, usageFromAnswer, type TokenUsage } from './wire/usage.js';

/** Everything one call works with. */
export interface ChatCallContext {
  incoming: IncomingChat;
  model: SnapshotModel;
  provider: ChatProvider;
  deadline: CallDeadline;
  request: FastifyRequest;
  reply: FastifyReply;
  usage: UsageBuffer;
}

const logger = new Logger('Call');

type Recorded = Partial<Pick<FinishedCall, 'usage' | 'firstByteMs'>>;

/** One call of one model, from the provider's first byte to the usage record: each call makes exactly one. */
export class ChatCall {
  private readonly startedAt = performance.now();
  private providerMs = 0;
  private forwarder: StreamForwarder | null = null;

  constructor(private readonly context: ChatCallContext) {}

  async run(): Promise<void> {
    const { incoming, model, provider, deadline } = this.context;
    const { body, topLevel, parameters, stream } = incoming;
    try {
      const answer = await provider.chat({ model, body, topLevel, parameters, stream }, deadline);
      this.providerMs = this.elapsed();
      if (answer.kind === 'stream') await this.answerStream(answer);
      else this.answerWhole(answer);
    } catch (error) {
      this.providerMs ||= this.elapsed();
      this.fail(failureOf(error, deadline));
    } finally {
      deadline.clear();
    }
  }

  private answerWhole(answer: WholeAnswer): void {
    const { reply } = this.context;
    const parsed = parseAnswer(answer);
    const usage = usageFromAnswer(parsed['usage']) ?? this.estimate(weighText(textOf(parsed)));
    this.record('ok', { usage, firstByteMs: this.providerMs });
    this.sendHead(answer, { 'content-type': answer.contentType, 'content-length': answer.body.length });
    reply.raw.end(answer.body);
  }

  private async answerStream(answer: StreamedAnswer): Promise<void> {
    const { reply, deadline, incoming } = this.context;
    const tap = new ChatStreamTap({ callerWantsUsage: incoming.wantsUsage });
    this.forwarder = new StreamForwarder(reply.raw, tap, deadline, () => this.startStream(answer));
    const end = await this.forwarder.forward(answer.body);
    if (end.kind === 'provider_error') throw answer.toError(end.error);
    if (end.kind === 'cut') {
      throw new ProviderError('bad_answer', { message: 'the stream ended before the answer was complete' });
    }
    this.record('ok', this.streamed(this.forwarder));
  }

  /** A stream that has begun tells its caller in an event; before that there is still a status to tell it with. */
  private fail(failure: ProviderError | AppError): void {
    const { forwarder } = this;
    this.recordFailure(failure, forwarder ? this.streamed(forwarder) : {});
    const error = this.toCaller(failure);
    if (!forwarder?.hasStarted) throw error;
    // He does not read, so nothing more can be told: what is still buffered for him goes with the connection.
    if (error.code === 'client_gone') return void this.context.reply.raw.destroy();
    if (error.code === 'internal_error')
      logger.error({ msg: 'A stream failed inside the hub', err: error, request_id: this.context.request.id });
    forwarder.fail(error);
  }

  private startStream(answer: StreamedAnswer): void {
    this.sendHead(answer, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      // nginx and others would hold the stream back.
      'x-accel-buffering': 'no',
    });
  }

  /** Past Fastify, whose own way of answering costs more than all we do here. */
  private sendHead(answer: ChatAnswer, headers: OutgoingHttpHeaders): void {
    const { reply, request } = this.context;
    reply.hijack();
    reply.raw.writeHead(200, { ...answer.headers, ...this.hubHeaders(), 'x-request-id': request.id, ...headers });
  }

  private streamed({ tap, firstByteAt }: StreamForwarder): Recorded {
    return {
      usage: tap.usage ?? this.estimate(tap.outputCharacters),
      firstByteMs: firstByteAt === null ? null : firstByteAt - this.startedAt,
    };
  }

  private estimate(outputCharacters: number): TokenUsage {
    return estimateUsage(this.context.incoming.parameters['messages'], outputCharacters);
  }

  private elapsed(): number {
    return performance.now() - this.startedAt;
  }

  private hubHeaders(): Record<string, string> {
    const { model, reply } = this.context;
    return {
      'x-hub-model': model.alias,
      'x-hub-provider': model.provider,
      'x-hub-attempts': '1',
      'x-hub-overhead-ms': Math.max(0, reply.elapsedTime - this.providerMs).toFixed(2),
    };
  }

  private toCaller(failure: ProviderError | AppError): AppError {
    const error = failure instanceof ProviderError ? failure.toAppError(this.context.model.alias) : failure;
    Object.assign(error.headers, this.hubHeaders());
    return error;
  }

  private recordFailure(failure: ProviderError | AppError, streamed: Recorded = {}): void {
    if (failure instanceof ProviderError) this.record(failure.errorClass, streamed, failure.message);
    else this.record(failure.code === 'internal_error' ? 'server' : 'client_gone', streamed, failure.message);
  }

  private record(outcome: FinishedCall['outcome'], known: Recorded, error: string | null = null): void {
    const { model, incoming, request, usage } = this.context;
    usage.add({
      model,
      tokenId: request.identity?.tokenId ?? null,
      source: sourceOf(request.headers['x-hub-source']),
      streamed: incoming.stream,
      outcome,
      prompt: null,
      error,
      usage: known.usage ?? null,
      firstByteMs: known.firstByteMs ?? null,
      totalMs: this.elapsed(),
    });
  }
}

const parseAnswer = (answer: WholeAnswer): Record<string, unknown> => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer.body.toString('utf8'));
  } catch {
    parsed = null;
  }
  if (!isPlainObject(parsed)) throw new ProviderError('bad_answer', { message: 'the answer is no JSON object' });
  const { error } = parsed;
  if (error !== undefined && error !== null && !('choices' in parsed)) throw answer.toError(error);
  return parsed;
};

/** The text of an answer whose usage has to be estimated. */
const textOf = (parsed: Record<string, unknown>): string => {
  const choices = Array.isArray(parsed['choices']) ? (parsed['choices'] as unknown[]) : [];
  return choices
    .map((choice) => (isPlainObject(choice) && isPlainObject(choice['message']) ? choice['message']['content'] : null))
    .filter((content) => typeof content === 'string')
    .join('');
};
