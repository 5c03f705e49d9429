import type { FastifyReply, FastifyRequest } from 'fastify';
import { isPlainObject } from '../../contract/fields.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { ChatAnswer, ChatProvider } from '../providers/provider.js';
import { ProviderError } from '../providers/provider-error.js';
import type { UsageBuffer } from '../usage/usage-buffer.js';
import { type CallResult, sourceOf, toUsageRecord } from '../usage/usage-record.js';
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

type Recorded = Partial<Pick<CallResult, 'usage' | 'firstByteMs'>>;

/** One call of one model, from the provider's first byte to the usage record: each call makes exactly one. */
export class ChatCall {
  private readonly startedAt = performance.now();
  private providerMs = 0;

  constructor(private readonly context: ChatCallContext) {}

  async run(): Promise<void> {
    const { incoming, model, provider, deadline } = this.context;
    const { body, parameters, stream } = incoming;
    try {
      const answer = await provider.chat({ model, body, parameters, stream }, deadline.signal);
      if (stream) await this.answerStream(answer);
      else await this.answerWhole(answer);
    } catch (error) {
      const failure = failureOf(error, deadline.signal);
      this.recordFailure(failure);
      throw this.toCaller(failure);
    } finally {
      deadline.clear();
    }
  }

  private async answerWhole(answer: ChatAnswer): Promise<void> {
    const { reply } = this.context;
    const bytes = await answer.read();
    this.providerMs = this.elapsed();
    const parsed = parseAnswer(bytes, answer);
    const usage = usageFromAnswer(parsed['usage']) ?? this.estimate(weighText(textOf(parsed)));
    this.record('ok', { usage, firstByteMs: this.providerMs });
    void reply.headers({ ...answer.headers, ...this.hubHeaders(), 'content-type': answer.contentType }).send(bytes);
  }

  private async answerStream(answer: ChatAnswer): Promise<void> {
    const { reply, deadline, incoming } = this.context;
    this.providerMs = this.elapsed();
    const tap = new ChatStreamTap({ callerWantsUsage: incoming.wantsUsage });
    const forwarder = new StreamForwarder(reply.raw, tap, deadline);
    this.startStream(answer);
    try {
      const end = await forwarder.forward(answer.body);
      if (end.kind === 'cut')
        throw new ProviderError('bad_answer', { message: 'the stream ended before the answer was complete' });
      if (end.kind === 'provider_error') throw answer.toError(end.error);
      this.record('ok', this.streamed(tap, forwarder));
    } catch (error) {
      const failure = failureOf(error, deadline.signal);
      this.recordFailure(failure, this.streamed(tap, forwarder));
      forwarder.fail(this.toCaller(failure));
    }
  }

  private startStream(answer: ChatAnswer): void {
    const { reply, request } = this.context;
    reply.hijack();
    reply.raw.writeHead(200, {
      ...answer.headers,
      ...this.hubHeaders(),
      'x-request-id': request.id,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      // nginx and others would hold the stream back.
      'x-accel-buffering': 'no',
    });
    reply.raw.flushHeaders();
  }

  private streamed(tap: ChatStreamTap, forwarder: StreamForwarder): Recorded {
    const { firstByteAt } = forwarder;
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
    else this.record('client_gone', streamed, failure.message);
  }

  private record(outcome: CallResult['outcome'], known: Recorded, error: string | null = null): void {
    const { model, incoming, request, usage } = this.context;
    const facts = {
      model,
      tokenId: request.identity?.tokenId ?? null,
      source: sourceOf(request.headers['x-hub-source']),
      streamed: incoming.stream,
    };
    usage.add(
      toUsageRecord(facts, { outcome, error, usage: null, firstByteMs: null, totalMs: this.elapsed(), ...known }),
    );
  }
}

const parseAnswer = (bytes: Buffer, answer: ChatAnswer): Record<string, unknown> => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
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
