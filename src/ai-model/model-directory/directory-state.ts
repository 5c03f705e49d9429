import type { Snapshot, SnapshotModel, SnapshotPrompt } from '../../contract/snapshot.contract.js';
import type { Identity } from '../../platform/auth/identity.js';

interface KnownToken {
  identity: Identity;
  /** Milliseconds since 1970; Infinity: never. */
  expiresAt: number;
}

/** One snapshot, indexed for calls. Never changed: a newer one takes its place in one step. */
export class DirectoryState {
  private readonly models: ReadonlyMap<string, SnapshotModel>;
  private readonly tokens: ReadonlyMap<string, KnownToken>;
  private readonly prompts: ReadonlyMap<string, SnapshotPrompt>;
  private sorted: readonly SnapshotModel[] | null = null;
  readonly revision: number;

  constructor(snapshot: Snapshot) {
    this.revision = snapshot.revision;
    this.models = new Map(snapshot.models.map((model) => [model.alias, model]));
    this.prompts = new Map(snapshot.prompts.map((prompt) => [prompt.name, prompt]));
    this.tokens = new Map(
      snapshot.tokens.map(({ id, sha256, scopes, expires_at }) => [
        sha256,
        {
          identity: { tokenId: id, scopes: new Set(scopes) },
          expiresAt: expires_at === null ? Infinity : Date.parse(expires_at),
        },
      ]),
    );
  }

  get size(): number {
    return this.models.size;
  }

  model(alias: string): SnapshotModel | undefined {
    return this.models.get(alias);
  }

  prompt(name: string): SnapshotPrompt | undefined {
    return this.prompts.get(name);
  }

  /** Looked for among all of them: nothing that is called often asks by id. */
  modelById(id: string): SnapshotModel | undefined {
    return [...this.models.values()].find((model) => model.id === id);
  }

  /** By priority, then alias. */
  allModels(): readonly SnapshotModel[] {
    this.sorted ??= [...this.models.values()].sort((a, b) => b.priority - a.priority || (a.alias < b.alias ? -1 : 1));
    return this.sorted;
  }

  /** `undefined`: not known here; `null`: known, and expired. */
  identity(sha256: string): Identity | null | undefined {
    const token = this.tokens.get(sha256);
    if (!token) return undefined;
    return token.expiresAt > Date.now() ? token.identity : null;
  }
}
