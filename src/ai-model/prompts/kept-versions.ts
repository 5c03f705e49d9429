import { Injectable } from '@nestjs/common';
import type { SnapshotPrompt, SnapshotPromptVersion } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { Span } from '../../platform/tracing/span.js';
import { StorageNotFound, StorageUnavailable } from '../storage-client/storage-errors.js';
import { StorageServiceClient } from '../storage-client/storage-service.client.js';

/** At most 256 KB each. */
const MAX_KEPT = 100;
/** How long a caller waits for one. */
const FETCH_MILLISECONDS = 2000;

const keyOf = ({ id }: SnapshotPrompt, version: number): string => `${id} ${version}`;

export const promptsUnavailable = (name: string): AppError =>
  new AppError('prompt_directory_unavailable', {
    detail: `The prompt ${name} cannot be looked up right now; try again shortly.`,
    headers: { 'retry-after': '2' },
    param: 'prompt_template',
  });

/** Versions that no snapshot carries. Each is asked for once, since it never changes; the longest unused ones go first. */
@Injectable()
export class KeptVersions {
  private readonly kept = new Map<string, SnapshotPromptVersion>();
  private readonly coming = new Map<string, Promise<SnapshotPromptVersion>>();

  constructor(private readonly storage: StorageServiceClient) {}

  find(prompt: SnapshotPrompt, version: number): SnapshotPromptVersion | undefined {
    const key = keyOf(prompt, version);
    const found = this.kept.get(key);
    if (found) this.keep(key, found);
    return found;
  }

  /** Throws `version_not_found`, or `prompt_directory_unavailable` when storage does not tell in time. */
  async fetch(prompt: SnapshotPrompt, version: number, span: Span | null): Promise<SnapshotPromptVersion> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(promptsUnavailable(prompt.name)), FETCH_MILLISECONDS);
    });
    try {
      return await Promise.race([this.ask(prompt, version, span), late]);
    } catch (error) {
      if (error instanceof StorageUnavailable) throw promptsUnavailable(prompt.name);
      if (error instanceof StorageNotFound) throw new AppError('version_not_found', { param: 'prompt_template' });
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Callers who want the same one wait for the same answer. */
  private ask(prompt: SnapshotPrompt, version: number, span: Span | null): Promise<SnapshotPromptVersion> {
    const key = keyOf(prompt, version);
    const coming = this.coming.get(key);
    if (coming) return coming;
    const asked = this.storage.getPromptVersion(prompt.name, version, span).then((found) => {
      this.keep(key, found);
      return found;
    });
    const settled = asked.finally(() => this.coming.delete(key));
    this.coming.set(key, settled);
    return settled;
  }

  /** As the one that was used last. */
  private keep(key: string, version: SnapshotPromptVersion): void {
    this.kept.delete(key);
    this.kept.set(key, version);
    const [oldest] = this.kept.keys();
    if (this.kept.size > MAX_KEPT && oldest !== undefined) this.kept.delete(oldest);
  }
}
