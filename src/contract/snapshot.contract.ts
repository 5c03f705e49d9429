import type { BudgetScope } from './budget.contract.js';
import type { ModelConfigView } from './model-config-view.contract.js';
import type { PromptSyntax, PromptVariable } from './prompt-variables.js';
import type { Scope } from './scopes.js';

/**
 * What a call of a model needs of its config, with the credential in clear: goes over `/internal/v1` only, is kept in
 * memory and never logged. Times are seconds. Source: `GET /internal/v1/snapshot`.
 */
export interface SnapshotModel extends Omit<
  ModelConfigView,
  'usage_count' | 'error_count' | 'last_used_at' | 'last_error' | 'multimodal_capabilities'
> {
  api_key: string | null;
  auth_headers: Record<string, string> | null;
  /** False when a stored secret cannot be decrypted: a call answers 503 `credential_unavailable`. */
  credential_readable: boolean;
}

/** A token's SHA-256 (hex) and what it may do; the text itself is known to its holder alone. */
export interface SnapshotToken {
  id: string;
  sha256: string;
  scopes: Scope[];
  /** RFC 3339, null: never. */
  expires_at: string | null;
}

/** One version of a prompt; it never changes. Source: the snapshot, and `GET /internal/v1/prompts/{name}/versions/{number}`. */
export interface SnapshotPromptVersion {
  version: number;
  prompt_content: string;
  syntax: PromptSyntax;
  variables: PromptVariable[];
  /** SHA-256, hex. */
  content_sha256: string;
}

/** A prompt with the versions that calls mostly use: those with a label, and the newest. */
export interface SnapshotPrompt {
  id: string;
  name: string;
  is_active: boolean;
  /** False: only tokens with `prompts:read` may name it in a call. */
  is_public: boolean;
  /** 0: there is no text yet. */
  latest_version: number;
  /** The version that each label stands at. */
  labels: Record<string, number>;
  versions: SnapshotPromptVersion[];
}

/** A budget that is used up and refuses calls until then. */
export interface SnapshotBudget {
  name: string;
  scope: BudgetScope;
  /** The alias, the tag as `key:value`, the token's id; null: every call. */
  scope_value: string | null;
  /** End of the period, RFC 3339: from then on it refuses nothing, whether storage can be asked or not. */
  until: string;
}

/** Everything the AI model service answers calls from, as of one revision. */
export interface Snapshot {
  /** Milliseconds since 1970 of the change, at least the last one plus 1: only ever goes up. */
  revision: number;
  models: SnapshotModel[];
  tokens: SnapshotToken[];
  prompts: SnapshotPrompt[];
  /** Those that refuse calls; a storage service from before there were budgets sends none. */
  budgets: SnapshotBudget[];
}

/** How many of each there are. */
export interface SnapshotTotals {
  models: number;
  tokens: number;
  prompts: number;
}

/**
 * What became new, different or gone after the revision `since`, whole entries each. Who has the snapshot of `since` has
 * the one of `revision` after it, and as many entries as `totals` says; if not, the whole snapshot has to be fetched.
 * Source: `GET /internal/v1/snapshot?since=N`, which answers with a {@link Snapshot} where that is simpler.
 */
export interface SnapshotDifference {
  since: number;
  revision: number;
  models: SnapshotModel[];
  tokens: SnapshotToken[];
  prompts: SnapshotPrompt[];
  /** All that refuse calls, not only what is new. */
  budgets: SnapshotBudget[];
  /** Ids. */
  removed: { models: string[]; tokens: string[]; prompts: string[] };
  totals: SnapshotTotals;
}
