import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { weighText } from '../../platform/text/text-weight.js';
import type { ModelHealth } from '../choosing/model-health.js';
import type { RateLimiter } from '../choosing/rate-limiter.js';
import type { RetryBudget } from '../../platform/limits/retry-budget.js';
import { backoffMilliseconds } from '../choosing/retry-policy.js';
import type { CallLine } from '../../platform/logging/access-log.js';
import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import type { CallMedia } from '../media/call-media.js';
import { budgetExceeded } from '../model-directory/exhausted-budgets.js';
import type { ChatAnswer, ChatProvider, ProviderRequest, StreamedAnswer, WholeAnswer } from '../providers/provider.js';
import { ProviderError } from '../providers/provider-error.js';
import type { ProviderLoader } from '../providers/provider-loader.js';
import type { CallMetrics } from '../status/call-metrics.js';
import type { UsageBuffer } from '../usage/usage-buffer.js';
import type { FinishedCall, UsedPrompt } from '../usage/usage-record.js';
import type { AnswerHeaders, StreamState } from './answerer.js';
import { requireCallable } from './callable.js';
import { type CallFailure, failureOf } from './call-failure.js';
import type { CallContext } from './call-context.js';
import { describeOutcome, endAttempt, startAttempt } from './call-spans.js';
import type { IncomingCall } from './incoming-call.js';
import type { SystemPrompts } from './system-prompts.js';
import { estimateEmbeddingUsage, estimateUsage, findUsage, usageFromAnswer, type TokenUsage } from './wire/usage.js';
import { parseAnswer, textOf } from './whole-answer.js';

const DEFAULT_TIMEOUT_SECONDS = 60;

/** What every call works with. */
export interface CallTools {
  prompts: SystemPrompts;
  media: CallMedia;
  providers: ProviderLoader;
  limiter: RateLimiter;
  budget: RetryBudget;
  health: Pick<ModelHealth, 'note'>;
  usage: Pick<UsageBuffer, 'add'>;
  metrics: Pick<CallMetrics, 'addAttempt'>;
}

type Recorded = Partial<Pick<FinishedCall, 'usage' | 'firstByteMs'>>;

/** A call as this model gets it. */
interface Prepared {
  incoming: IncomingCall;
  prompt: UsedPrompt | null;
  provider: ChatProvider;
}

/** What a call has come to so far, at all the models that were asked. */
export interface CallProgress {
  attempts: number;
  /** Spent waiting for providers and between attempts: not the hub's own time. */
  waitedMs: number;
}

/** One model's part of a call: its attempts, and the one usage record they make, if any of them got to the provider. */
export class ModelAttempts {
  private readonly startedAt = performance.now();
  /** When the head of the last answer was there. */
  private headAt = 0;
  private prompt: UsedPrompt | null = null;
  private ignored: readonly string[] = [];
  private stream: StreamState | null = null;
  private overheadMs: number | null = null;
  /** Requests that this model's provider was sent. */
  private asked = 0;

  constructor(
    private readonly context: CallContext,
    readonly model: SnapshotModel,
    private readonly tools: CallTools,
    private readonly progress: CallProgress,
  ) {}

  /** Settles with the failure of the last attempt; null: the caller has his answer. */
  async run(): Promise<CallFailure | null> {
    const { deadline } = this.context;
    deadline.begin((this.model.request_timeout ?? DEFAULT_TIMEOUT_SECONDS) * 1000);
    try {
      const prepared = this.prepare();
      const { incoming, prompt, provider } = prepared instanceof Promise ? await prepared : prepared;
      this.prompt = prompt;
      this.tools.budget.earn(this.model.id);
      for (let attempt = 1; ; attempt += 1) {
        const failure = await this.attempt(incoming, provider);
        if (failure === null) return null;
        const wait = this.waitAfter(attempt, failure);
        if (wait === null) return this.failed(failure);
        await this.waiting(deadline.sleep(wait));
        if (deadline.aborted) return this.failed(failureOf(null, deadline));
      }
    } catch (error) {
      return this.failed(failureOf(error, deadline));
    }
  }

  private failed(failure: CallFailure): CallFailure {
    if (this.asked > 0) this.recordFailure(failure);
    return failure;
  }

  /** Adds to a head what tells of this model; built in place, since every call has one. */
  headers(head: Record<string, string> = {}): Record<string, string> {
    const { model, prompt, ignored } = this;
    head['x-hub-model'] = model.alias;
    if (prompt) head['x-hub-prompt'] = `${prompt.name}@${prompt.version}`;
    head['x-hub-provider'] = model.provider;
    head['x-hub-attempts'] = String(this.progress.attempts);
    if (ignored.length > 0) head['x-hub-ignored-parameters'] = ignored.join(', ');
    this.overheadMs = this.measureOverhead();
    head['x-hub-overhead-ms'] = this.overheadMs.toFixed(2);
    return head;
  }

  /** What the hub itself took. A stream is waited for until it has something to say. */
  private measureOverhead(): number {
    const firstByteAt = this.stream?.firstByteAt ?? this.headAt;
    return Math.max(0, this.context.asker.elapsed() - this.progress.waitedMs - (firstByteAt - this.headAt));
  }

  private async waiting<Value>(work: Promise<Value>): Promise<Value> {
    const from = performance.now();
    try {
      return await work;
    } finally {
      this.headAt = performance.now();
      this.progress.waitedMs += this.headAt - from;
    }
  }

  /** Without a promise where nothing has to be waited for. */
  private prepare(): Prepared | Promise<Prepared> {
    const { model, context, tools } = this;
    requireCallable(model, context.incoming);
    this.requireBudget();
    const applied = tools.prompts.apply(context.incoming, model, context.asker);
    const provider = tools.providers.chatProvider(model.provider);
    const media = tools.media.of(context.incoming);
    if (!media && !(applied instanceof Promise) && !(provider instanceof Promise)) return { ...applied, provider };
    return Promise.all([applied, provider]).then(async ([prompted, loaded]) => {
      const incoming = media ? await media.fit(prompted.incoming, model, context.deadline) : prompted.incoming;
      return { ...prompted, incoming, provider: loaded };
    });
  }

  private requireBudget(): void {
    const { budgets, line } = this.context;
    const closing = budgets?.closing(this.model);
    if (!closing) return;
    if (line) line.budget = closing.name;
    throw budgetExceeded(closing);
  }

  /** Milliseconds until the next attempt; null: there is none. */
  private waitAfter(attempt: number, failure: CallFailure): number | null {
    if (!(failure instanceof ProviderError) || !failure.retryable) return null;
    if (attempt > this.model.max_retries || this.context.answerer.hasStarted) return null;
    const wait = backoffMilliseconds(attempt, failure);
    if (wait >= this.context.deadline.remainingMilliseconds) return null;
    return this.tools.budget.spend(this.model.id) ? wait : null;
  }

  private async attempt(incoming: IncomingCall, provider: ChatProvider): Promise<CallFailure | null> {
    const {
      deadline,
      asker: { span: whole },
    } = this.context;
    const { body, topLevel, parameters, stream, isTranslated } = incoming;
    const { model } = this;
    if (model.rate_limit_per_minute !== null) await this.requireAllowed(model.rate_limit_per_minute);
    this.progress.attempts += 1;
    this.asked += 1;
    this.stream = null;
    const span = whole && startAttempt(whole, model, incoming.operation, this.asked);
    try {
      const request = { model, body, topLevel, parameters, stream, isTranslated };
      const answer = await this.waiting(askFor(provider, incoming.operation, request, deadline));
      if (answer.kind === 'stream') await this.answerStream(answer);
      else this.answerWhole(answer);
      this.tools.health.note(model, 'ok');
      this.tools.metrics.addAttempt(model.provider, 'ok');
      if (span) endAttempt(span, null);
      return null;
    } catch (error) {
      const failure = failureOf(error, deadline);
      if (error instanceof AppError) this.takeBack();
      else this.tools.metrics.addAttempt(model.provider, outcomeOf(failure));
      if (failure instanceof ProviderError) this.tools.health.note(model, failure.errorClass);
      if (span) endAttempt(span, failure);
      return failure;
    }
  }

  /** The provider's code refused, and nothing was sent. */
  private takeBack(): void {
    this.progress.attempts -= 1;
    this.asked -= 1;
  }

  private async requireAllowed(limit: number): Promise<void> {
    const { id, alias } = this.model;
    const { isAllowed, retryAfterMilliseconds } = await this.tools.limiter.take(id, limit);
    if (isAllowed) return;
    throw new AppError('rate_limit_exceeded', {
      detail: `${alias} takes ${limit} calls per minute (rate_limit_per_minute).`,
      headers: { 'retry-after': String(Math.ceil(retryAfterMilliseconds / 1000)) },
    });
  }

  private answerWhole(answer: WholeAnswer): void {
    const parsed = parseAnswer(answer);
    const usage = usageFromAnswer(findUsage(parsed)) ?? this.estimate(weighText(textOf(parsed)));
    this.noteIgnored(answer);
    const firstByteMs = performance.now() - this.startedAt;
    this.context.answerer.whole(answer, parsed, () => this.headers({ ...answer.headers }));
    this.record('ok', { usage, firstByteMs });
  }

  private async answerStream(answer: StreamedAnswer): Promise<void> {
    this.noteIgnored(answer);
    const headers = (): AnswerHeaders => this.headers({ ...answer.headers });
    const { state, end } = this.context.answerer.stream(answer, headers);
    this.stream = state;
    const how = await end;
    if (how.kind === 'provider_error') throw answer.toError(how.error);
    if (how.kind === 'cut') {
      throw new ProviderError('bad_answer', { message: 'the stream ended before the answer was complete' });
    }
    this.record('ok', this.streamed());
  }

  private noteIgnored(answer: ChatAnswer): void {
    const { ignored } = this.context.incoming;
    this.ignored = answer.ignored.length === 0 ? ignored : [...ignored, ...answer.ignored];
  }

  private streamed(): Recorded {
    if (this.stream === null) return {};
    const { tap, firstByteAt } = this.stream;
    return {
      usage: tap.usage ?? this.estimate(tap.outputCharacters),
      firstByteMs: firstByteAt === null ? null : firstByteAt - this.startedAt,
    };
  }

  private estimate(outputCharacters: number): TokenUsage {
    const { operation, parameters } = this.context.incoming;
    if (operation === 'embeddings') return estimateEmbeddingUsage(parameters['input']);
    return estimateUsage(parameters['messages'], outputCharacters);
  }

  private recordFailure(failure: CallFailure): void {
    this.record(outcomeOf(failure), this.streamed(), failure.message);
  }

  private record(outcome: FinishedCall['outcome'], known: Recorded, error: string | null = null): void {
    const { incoming, asker, models, line } = this.context;
    const call: FinishedCall = {
      model: this.model,
      tokenId: asker.identity?.tokenId ?? null,
      source: asker.source,
      streamed: incoming.stream,
      outcome,
      attempts: this.asked,
      prompt: this.prompt,
      error,
      usage: known.usage ?? null,
      firstByteMs: known.firstByteMs ?? null,
      totalMs: performance.now() - this.startedAt,
      overheadMs: this.overheadMs,
      isFallback: this.model !== models[0],
    };
    this.tools.usage.add(call);
    if (line) noteCall(line, call, this.progress.attempts);
    // Of a test, the request is another one, with calls of its own.
    if (line && asker.span) describeOutcome(asker.span, call, this.progress.attempts);
  }
}

/** The last model that was asked is the one a line tells of. */
const noteCall = (line: CallLine, call: FinishedCall, attempts: number): void => {
  const { model, outcome, usage, firstByteMs, overheadMs } = call;
  line.model = model.alias;
  line.provider = model.provider;
  line.attempts = attempts;
  line.outcome = outcome;
  line.input_tokens = usage?.inputTokens ?? null;
  line.output_tokens = usage?.outputTokens ?? null;
  line.first_byte_ms = firstByteMs === null ? null : Math.round(firstByteMs);
  line.overhead_ms = overheadMs === null ? null : Math.round(overheadMs * 100) / 100;
};

/** What ended a call that was under way: its provider, or something else. */
const outcomeOf = (failure: CallFailure): FinishedCall['outcome'] => {
  if (failure instanceof ProviderError) return failure.errorClass;
  const { code } = failure;
  if (code === 'internal_error') return 'server';
  return code === 'rate_limit_exceeded' ? 'rate_limit' : 'client_gone';
};

const askFor = (
  provider: ChatProvider,
  operation: IncomingCall['operation'],
  request: ProviderRequest,
  signal: CancelSignal,
): Promise<ChatAnswer> => {
  if (operation === 'chat') return provider.chat(request, signal);
  if (provider.embed) return provider.embed(request, signal);
  const detail = `${request.model.alias} makes no embeddings.`;
  throw new AppError('operation_not_supported', { detail, param: 'model' });
};
