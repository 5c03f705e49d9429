import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { SnapshotPromptVersion } from '../../contract/snapshot.contract.js';
import { readSnapshotBudgets } from '../budget/snapshot-budgets.js';
import { ChangeService, type RevisionState, readRevisionState } from '../database/change.service.js';
import { ConfigCredentials } from '../model-config/config-credentials.js';
import { readSnapshotPrompts, readSnapshotVersion } from '../prompt/snapshot-prompts.js';
import { KnownTokens } from '../token/known-tokens.js';
import { readDifference } from './snapshot-difference.js';
import { readAllModels } from './snapshot-models.js';
import { readSnapshotTokens, toAdminToken } from './snapshot-tokens.js';
import { type Observation, UnreadableSecrets } from './unreadable-secrets.js';

/** A `Snapshot` or a `SnapshotDifference` as it goes on the wire. The only answer with secrets in clear. */
export interface SnapshotText {
  revision: number;
  /** JSON. */
  text: string;
}

interface Read extends SnapshotText {
  observations: Observation[];
}

/** Everything an AI model service needs, as of one revision: whole, or what became different. */
@Injectable()
export class SnapshotService {
  /** By the revision that was the newest when they began. */
  private readonly builds = new Map<number, Promise<SnapshotText>>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly credentials: ConfigCredentials,
    private readonly known: KnownTokens,
    private readonly unreadable: UnreadableSecrets,
  ) {}

  /** null when `known` is still the newest revision. */
  async newerThan(known: number | null): Promise<SnapshotText | null> {
    const { revision } = await this.changes.revisionState();
    return known === revision ? null : this.whole(revision);
  }

  /** What changed after the revision `since`, or the whole where nobody can tell or too much did; null: nothing. */
  async since(since: number): Promise<SnapshotText | null> {
    const state = await this.changes.revisionState();
    if (since === state.revision) return null;
    return (await this.difference(since, state)) ?? this.whole(state.revision);
  }

  /** A version that is not part of the snapshot. */
  promptVersion(name: string, version: number): Promise<SnapshotPromptVersion> {
    return readSnapshotVersion(this.dataSource.manager, name, version);
  }

  /**
   * Processes that ask at the same time share the work. Nobody gets what was read before he asked: it would not have what
   * was written in between.
   */
  private whole(revision: number): Promise<SnapshotText> {
    const running = this.builds.get(revision);
    if (running) return running;
    const build = this.inOneMoment((manager) => this.readWhole(manager)).finally(() => this.builds.delete(revision));
    this.builds.set(revision, build);
    return build;
  }

  private async difference(since: number, state: RevisionState): Promise<SnapshotText | null> {
    if (!isToldSince(since, state)) return null;
    const found = await this.inOneMoment((manager) => this.readDifference(manager, since));
    return found.revision === since ? null : found;
  }

  private async inOneMoment(read: (manager: EntityManager) => Promise<Read>): Promise<SnapshotText> {
    const { revision, text, observations } = await this.dataSource.transaction('REPEATABLE READ', read);
    await this.unreadable.note(observations);
    return { revision, text };
  }

  /** Answers `since` as its revision when there is no difference to tell. */
  private async readDifference(manager: EntityManager, since: number): Promise<Read> {
    const state = await readRevisionState(manager);
    const { revision } = state;
    const isTold = isToldSince(since, state);
    const found = isTold ? await readDifference(manager, this.credentials, { since, revision }) : null;
    if (!found) return { revision: since, text: '', observations: [] };
    return { revision, text: JSON.stringify(found), observations: found.models.map(toObservation) };
  }

  /** Written page by page: ten thousand configs in one piece would keep everybody else waiting. */
  private async readWhole(manager: EntityManager): Promise<Read> {
    const { revision } = await readRevisionState(manager);
    const pages: string[] = [];
    const observations: Observation[] = [];
    for await (const page of readAllModels(manager, this.credentials)) {
      if (page.length > 0) pages.push(JSON.stringify(page).slice(1, -1));
      observations.push(...page.map(toObservation));
    }
    const tokens = [toAdminToken(this.known.admin), ...(await readSnapshotTokens(manager))];
    const prompts = JSON.stringify(await readSnapshotPrompts(manager));
    const budgets = JSON.stringify(await readSnapshotBudgets(manager));
    const rest = `"tokens":${JSON.stringify(tokens)},"prompts":${prompts},"budgets":${budgets}`;
    return { revision, text: `{"revision":${revision},"models":[${pages.join(',')}],${rest}}`, observations };
  }
}

/** A revision of the future is one of another database. */
const isToldSince = (since: number, { revision, wholeRevision }: RevisionState): boolean =>
  since >= wholeRevision && since < revision;

const toObservation = ({ id, version, credential_readable }: Observation): Observation => ({
  id,
  version,
  credential_readable,
});
