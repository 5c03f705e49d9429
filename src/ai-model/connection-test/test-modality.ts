import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { makesEmbeddings } from '../choosing/model-chooser.js';

/** What a test can be about; `embeddings` for models that make vectors. */
export const TEST_MODALITIES = ['text', 'image', 'file', 'audio', 'video', 'embeddings'] as const;
export type TestModality = (typeof TEST_MODALITIES)[number];

const FLAG_OF = {
  image: 'supports_images',
  file: 'supports_files',
  audio: 'supports_audio',
  video: 'supports_videos',
} as const;

/** What is tested when nothing is said. */
export const defaultModalityOf = (model: SnapshotModel): TestModality =>
  makesEmbeddings(model.model_name) ? 'embeddings' : 'text';

/** A call with it would be refused by the hub itself. Throws `modality_not_supported`. */
export const requireModality = (model: SnapshotModel, modality: TestModality): void => {
  if (modality === 'text' || modality === 'embeddings') return;
  const flag = FLAG_OF[modality];
  if (model[flag]) return;
  throw new AppError('modality_not_supported', {
    detail: `${model.alias} has ${flag} switched off.`,
    param: 'modality',
  });
};
