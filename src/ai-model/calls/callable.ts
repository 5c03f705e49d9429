import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { PROVIDER_REGISTRY } from '../providers/registry.js';
import { AppError } from '../../platform/errors/app-error.js';

const FINAL = { 'x-should-retry': 'false' };

/** Has what a call needs, as far as the hub can tell without making one. */
export const isCallable = (model: SnapshotModel): boolean =>
  PROVIDER_REGISTRY[model.provider].load !== null &&
  model.is_enabled &&
  model.credential_readable &&
  (model.is_local || model.api_key !== null);

/** Says why a model cannot be called, by an error of its own for each reason. */
export const requireCallable = (model: SnapshotModel, { stream }: { stream: boolean }): void => {
  const { alias } = model;
  if (!model.is_enabled) {
    throw new AppError('model_disabled', { detail: `The model ${alias} is switched off.`, param: 'model' });
  }
  if (!model.credential_readable) {
    throw new AppError('credential_unavailable', {
      detail: `The key stored for ${alias} cannot be decrypted with the hub's present encryption keys; it must be entered again.`,
      headers: FINAL,
    });
  }
  if (!model.is_local && model.api_key === null) {
    throw new AppError('credential_missing', { detail: `No key is stored for ${alias} yet.`, headers: FINAL });
  }
  if (stream && !model.is_streaming_supported) {
    throw new AppError('streaming_not_supported', {
      detail: `The model ${alias} does not stream; leave stream out.`,
      param: 'stream',
    });
  }
};
