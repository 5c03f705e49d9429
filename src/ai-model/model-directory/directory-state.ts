import { isDeepStrictEqual } from 'node:util';
import type {
  Snapshot,
  SnapshotBudget,
  SnapshotDifference,
  SnapshotModel,
  SnapshotPrompt,
  SnapshotToken,
} from '../../contract/snapshot.contract.js';
import type { Identity } from '../../platform/auth/identity.js';
import { EntryTable } from './entry-table.js';
import { ExhaustedBudgets } from './exhausted-budgets.js';

interface Tables {
  models: EntryTable<SnapshotModel>;
  tokens: EntryTable<SnapshotToken>;
  prompts: EntryTable<SnapshotPrompt>;
}

interface KnownToken {
  identity: Identity;
  /** Milliseconds since 1970; Infinity: never. */
  expiresAt: number;
}

/** What was made of a token; it stays the same object as long as nothing about it changes. */
const knownTokens = new WeakMap<SnapshotToken, KnownToken>();

/** One snapshot, indexed for calls. Never changed: a newer one takes its place in one step. */
export class DirectoryState {
  /** The budgets that refuse calls; null: none does. */
  readonly exhausted: ExhaustedBudgets | null;
  private sorted: readonly SnapshotModel[] | null = null;

  private constructor(
    readonly revision: number,
    private readonly tables: Tables,
    private readonly budgets: readonly SnapshotBudget[],
  ) {
    this.exhausted = ExhaustedBudgets.of(budgets);
  }

  static of({ revision, models, tokens, prompts, budgets }: Snapshot): DirectoryState {
    const tables = {
      models: EntryTable.of((model) => model.alias, models),
      tokens: EntryTable.of((token) => token.sha256, tokens),
      prompts: EntryTable.of((prompt) => prompt.name, prompts),
    };
    return new DirectoryState(revision, tables, budgets);
  }

  /** The state after this difference; null: it does not fit, so that only a whole snapshot helps. */
  with({ since, revision, removed, totals, budgets, ...changed }: SnapshotDifference): DirectoryState | null {
    if (since !== this.revision) return null;
    const models = this.tables.models.with(changed.models, removed.models, totals.models);
    const tokens = this.tables.tokens.with(changed.tokens, removed.tokens, totals.tokens);
    const kept = changed.prompts.map((prompt) => this.keepVersions(prompt));
    const prompts = this.tables.prompts.with(kept, removed.prompts, totals.prompts);
    return models && tokens && prompts ? new DirectoryState(revision, { models, tokens, prompts }, budgets) : null;
  }

  get size(): number {
    return this.tables.models.size;
  }

  model(alias: string): SnapshotModel | undefined {
    return this.tables.models.get(alias);
  }

  prompt(name: string): SnapshotPrompt | undefined {
    return this.tables.prompts.get(name);
  }

  modelById(id: string): SnapshotModel | undefined {
    return this.tables.models.getById(id);
  }

  /** By priority, then alias. */
  allModels(): readonly SnapshotModel[] {
    this.sorted ??= this.tables.models.all().sort((a, b) => b.priority - a.priority || (a.alias < b.alias ? -1 : 1));
    return this.sorted;
  }

  /** `undefined`: not known here; `null`: known, and expired. */
  identity(sha256: string): Identity | null | undefined {
    const token = this.tables.tokens.get(sha256);
    if (!token) return undefined;
    const { identity, expiresAt } = knownTokenOf(token);
    return expiresAt > Date.now() ? identity : null;
  }

  /** What it was made of, so that it can be kept. */
  toSnapshot(): Snapshot {
    const { revision, budgets } = this;
    const { models, tokens, prompts } = this.tables;
    return { revision, models: models.all(), tokens: tokens.all(), prompts: prompts.all(), budgets: [...budgets] };
  }

  /** Templates are compiled once for each version: one that is still the same stays the same object. */
  private keepVersions(prompt: SnapshotPrompt): SnapshotPrompt {
    const known = this.tables.prompts.getById(prompt.id)?.versions ?? [];
    const versions = prompt.versions.map((version) => known.find((one) => isDeepStrictEqual(one, version)) ?? version);
    return { ...prompt, versions };
  }
}

const knownTokenOf = (token: SnapshotToken): KnownToken => {
  const known = knownTokens.get(token);
  if (known) return known;
  const { id, scopes, expires_at } = token;
  const expiresAt = expires_at === null ? Infinity : Date.parse(expires_at);
  const made = { identity: { tokenId: id, scopes: new Set(scopes) }, expiresAt };
  knownTokens.set(token, made);
  return made;
};
