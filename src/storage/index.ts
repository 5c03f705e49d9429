/** What the application needs of the storage service; imported dynamically, and only in the roles that run it. */
export { translateDatabaseError } from './database/database-errors.js';
export { migrateOnce, openStorage } from './open-storage.js';
export { StorageModule } from './storage.module.js';
export { describeStorage } from './describe-storage.js';
