import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Secret } from '../../platform/secrets/secret.js';

const KEY_BYTES = 32;
const LABEL = 'hub/snapshot/v1';

/**
 * The keys of the last-known-good file: the first seals it, each of them may open it. Asked for each time, since keys
 * change while the process runs.
 */
export class SnapshotKeys {
  constructor(readonly current: () => readonly KeyObject[]) {}
}

/** The key of the file where there is a service token to derive it from: a process of role `ai-model` has no other secret. */
export const snapshotKeyOf = (serviceToken: Secret): KeyObject => {
  const token = Buffer.from(serviceToken.reveal());
  const bytes = Buffer.from(hkdfSync('sha256', token, Buffer.alloc(0), LABEL, KEY_BYTES));
  token.fill(0);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
};
