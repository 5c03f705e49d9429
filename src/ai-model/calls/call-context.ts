import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { CallLine } from '../../platform/logging/access-log.js';
import type { ExhaustedBudgets } from '../model-directory/exhausted-budgets.js';
import type { Answerer } from './answerer.js';
import type { Asker } from './asker.js';
import type { CallDeadline } from './call-deadline.js';
import type { IncomingCall } from './incoming-call.js';

/** One call: what is asked, of whom in which order, by whom, and where the answer goes. */
export interface CallContext {
  incoming: IncomingCall;
  /** The model that was asked for, then those that may answer in its place; at least one. */
  models: readonly SnapshotModel[];
  asker: Asker;
  answerer: Answerer;
  deadline: CallDeadline;
  /** For the access log; null: nobody reads of it. */
  line: CallLine | null;
  /** Those that refuse calls; null: none does, or it is a test, which is made whatever was spent. */
  budgets: ExhaustedBudgets | null;
}
