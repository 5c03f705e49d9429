import { setTimeout as sleep } from 'node:timers/promises';
import type { StorageServiceClient } from '../storage-client/storage-service.client.js';

/** Many processes lose their connections at the same moment: they do not all come back at the same moment too. */
const RECONNECT_MILLISECONDS = { from: 500, to: 1500 };

/** Watches until the signal, whatever happens to the connection. Never fails. */
export const watchRevisions = async (
  storage: Pick<StorageServiceClient, 'watchRevision'>,
  onRevision: (revision: number) => void,
  signal: AbortSignal,
): Promise<void> => {
  const { from, to } = RECONNECT_MILLISECONDS;
  while (!signal.aborted) {
    try {
      await storage.watchRevision(onRevision, signal);
    } catch {
      // Only a hint was lost: the poll finds the same revision.
    }
    if (!signal.aborted) await sleep(from + Math.random() * (to - from), undefined, { ref: false });
  }
};
