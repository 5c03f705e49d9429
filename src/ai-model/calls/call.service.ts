import { Injectable } from '@nestjs/common';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { CallReply, CallRequest } from '../../platform/http/call-exchange.js';
import type { CallLine } from '../../platform/logging/access-log.js';
import { ModelChooser } from '../choosing/model-chooser.js';
import { ModelHealth } from '../choosing/model-health.js';
import { RateLimiter } from '../choosing/rate-limiter.js';
import { RetryBudget } from '../../platform/limits/retry-budget.js';
import { CallMedia } from '../media/call-media.js';
import { budgetExceeded, type ExhaustedBudgets } from '../model-directory/exhausted-budgets.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { ProviderLoader } from '../providers/provider-loader.js';
import { CallMetrics } from '../status/call-metrics.js';
import { UsageBuffer } from '../usage/usage-buffer.js';
import { type FinishedCall, sourceOf } from '../usage/usage-record.js';
import type { Answerer } from './answerer.js';
import { askerOf, type Asker } from './asker.js';
import { CallDeadline } from './call-deadline.js';
import { CallRun } from './call-run.js';
import { describeCall } from './call-spans.js';
import { CallTracker } from './call-tracker.js';
import type { Dialect } from './dialect.js';
import { HttpAnswerer } from './http-answerer.js';
import type { IncomingCall } from './incoming-call.js';
import type { CallTools } from './model-attempts.js';
import { SystemPrompts } from './system-prompts.js';

interface RunOptions {
  /** False for a model that is not saved: nothing is counted or learned for it. */
  leavesTrace?: boolean;
  line?: CallLine | null;
  budgets?: ExhaustedBudgets | null;
}

/** Calls a model by its alias: nothing here waits for storage, as long as the alias and the prompt are known. */
@Injectable()
export class CallService {
  private readonly tools: CallTools;
  /** For calls that nobody counts. */
  private readonly untraced: CallTools;

  constructor(
    private readonly chooser: ModelChooser,
    private readonly tracker: CallTracker,
    prompts: SystemPrompts,
    media: CallMedia,
    providers: ProviderLoader,
    limiter: RateLimiter,
    budget: RetryBudget,
    health: ModelHealth,
    usage: UsageBuffer,
    metrics: CallMetrics,
    private readonly directory: ModelDirectory,
  ) {
    const add = (call: FinishedCall): void => {
      usage.add(call);
      metrics.add(call);
    };
    this.tools = { prompts, media, providers, limiter, budget, health, usage: { add }, metrics };
    this.untraced = {
      ...this.tools,
      health: { note: () => undefined },
      usage: { add: () => undefined },
      metrics: { addAttempt: () => undefined },
    };
  }

  /** Answers an HTTP request that asks in this dialect. Throws while there is still a status to tell a failure with. */
  async answer(request: CallRequest, reply: CallReply, dialect: Dialect): Promise<void> {
    const incoming = dialect.read(request.rawBody);
    request.call = lineFor(incoming, sourceOf(request.headers['x-hub-source']));
    // One moment for the whole call: it is either let in or refused by what is known now.
    const budgets = this.directory.exhaustedBudgets;
    if (budgets) requireAllowed(budgets, request);
    const chosen = this.chooser.choose(incoming, request.span);
    const models = chosen instanceof Promise ? await chosen : chosen;
    if (request.span) describeCall(request.span, incoming, request.call.source);
    const deadline = new CallDeadline(incoming);
    // On the response: the request's own 'close' comes as soon as its body is read.
    if (reply.raw.destroyed) deadline.abandon();
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) deadline.abandon();
    });
    const answerer = new HttpAnswerer(request, reply, dialect, incoming, deadline);
    return this.run(incoming, models, askerOf(request, reply), answerer, deadline, { line: request.call, budgets });
  }

  /**
   * The path of every call, tests of a connection included. Throws as `answer` does.
   */
  run(
    incoming: IncomingCall,
    models: readonly SnapshotModel[],
    asker: Asker,
    answerer: Answerer,
    deadline: CallDeadline,
    { leavesTrace = true, line = null, budgets = null }: RunOptions = {},
  ): Promise<void> {
    this.tracker.begin(deadline);
    const tools = leavesTrace ? this.tools : this.untraced;
    const context = { incoming, models, asker, answerer, deadline, line, budgets };
    return new CallRun(context, tools).run();
  }
}

const requireAllowed = (budgets: ExhaustedBudgets, { identity, call }: CallRequest): void => {
  const refusing = budgets.refusing(identity?.tokenId);
  if (!refusing) return;
  if (call) call.budget = refusing.name;
  throw budgetExceeded(refusing);
};

/** A call of which nothing is known yet but what was asked. */
const lineFor = ({ alias, stream }: IncomingCall, source: string): CallLine => ({
  alias,
  model: null,
  provider: null,
  source,
  streamed: stream,
  attempts: 0,
  outcome: null,
  input_tokens: null,
  output_tokens: null,
  first_byte_ms: null,
  overhead_ms: null,
});
