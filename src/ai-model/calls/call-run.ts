import { Logger } from '@nestjs/common';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { mayFallBack } from '../choosing/retry-policy.js';
import { ProviderError } from '../providers/provider-error.js';
import type { CallContext } from './call-context.js';
import type { CallFailure } from './call-failure.js';
import { type CallProgress, type CallTools, ModelAttempts } from './model-attempts.js';

const logger = new Logger('Call');

/** Asks one model after the other until one answers. Never another one once a byte of an answer is with the caller. */
export class CallRun {
  private readonly progress: CallProgress = { attempts: 0, waitedMs: 0 };
  private failed: { failure: CallFailure; by: ModelAttempts }[] = [];

  constructor(
    private readonly context: CallContext,
    private readonly tools: CallTools,
  ) {}

  /** Throws the failure when there is still a status to tell it with. */
  async run(): Promise<void> {
    const { models, deadline } = this.context;
    try {
      for (const model of models) {
        if (!this.isWorthAsking(model)) continue;
        const attempts = new ModelAttempts(this.context, model, this.tools, this.progress);
        const failure = await attempts.run();
        if (failure === null) return;
        this.failed.push({ failure, by: attempts });
        if (this.context.answerer.hasStarted || !mayFallBack(failure)) break;
      }
    } finally {
      deadline.clear();
    }
    this.fail();
  }

  /** A request that was too long for one model is too long for a smaller one. */
  private isWorthAsking(model: SnapshotModel): boolean {
    const last = this.failed.at(-1);
    if (!(last?.failure instanceof ProviderError) || last.failure.errorClass !== 'context_too_long') return true;
    return (model.context_window ?? Infinity) > (last.by.model.context_window ?? 0);
  }

  /** A stream that has begun tells its caller in an event; before that the filter answers with a status. */
  private fail(): void {
    const { answerer, asker } = this.context;
    const error = this.toCaller();
    if (error.code === 'internal_error')
      logger.error({ msg: 'A call failed inside the hub', err: error, request_id: asker.requestId });
    if (!answerer.hasStarted) throw error;
    answerer.fail(error);
  }

  /**
   * The failure of the model that was asked for, and what became of those in its place. The hub has tried again as often
   * as it may: a client that does so on its own would multiply the calls.
   */
  private toCaller(): AppError {
    const [first, ...others] = this.failed;
    if (!first) return new AppError('internal_error');
    const { failure, by } = first;
    const isFinal = by.model.max_retries > 0 || others.length > 0;
    const error = failure instanceof ProviderError ? failure.toAppError(by.model.alias, { isFinal }) : failure;
    const also = others.map(({ failure: { message }, by: { model } }) => `${model.alias}: ${message}`);
    const told = also.length === 0 ? error : error.withDetail(`${error.detail} Then asked, too: ${also.join('; ')}`);
    Object.assign(told.headers, by.headers());
    return told;
  }
}
