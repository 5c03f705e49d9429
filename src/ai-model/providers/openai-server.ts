import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { KeyHeader } from './provider-target.js';

/** What is asked of a server, by the path that OpenAI has for it. */
export type OperationPath = 'chat/completions' | 'embeddings';

/** Where servers that speak OpenAI's wire format differ before a word is said. */
export interface ServerKind {
  /** undefined: as a bearer token. */
  keyHeader?: KeyHeader;
  /** @param base the config's address, without a slash at its end */
  urlOf(base: string, model: SnapshotModel, path: OperationPath): URL;
  /** The address under which it lists its models. */
  listBaseOf(base: string): string;
  /** Its list names what it could run, and not what the config's name must be. */
  listsOtherNames?: true;
}

export const OPENAI_SERVER: ServerKind = {
  urlOf: (base, _model, path) => new URL(`${base}/${path}`),
  listBaseOf: (base) => base,
};
