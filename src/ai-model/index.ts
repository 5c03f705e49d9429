/** What the application needs of the AI model service; imported dynamically, and only in the roles that run it. */
export { AiModelModule } from './ai-model.module.js';
export { SnapshotKeys, snapshotKeyOf } from './model-directory/snapshot-keys.js';
export { translateStorageError } from './storage-client/storage-errors.js';
