import { readEnv } from '../platform/config/env.js';
import { StartupError } from '../platform/errors/startup-error.js';
import { exitWith, loadEnvFile } from './run-hub.js';

/** `npm run migrate`: brings the database up to date, the embedded one when `DATABASE_URL` is unset. */
export async function runMigrations(): Promise<void> {
  try {
    loadEnvFile();
    const env = readEnv(process.env);
    if (!env.runsStorage) throw new StartupError('SERVICE_ROLE ai-model has no database to migrate.');
    const { migrateOnce } = await import('../storage/index.js');
    const names = await migrateOnce(env, (line) => process.stdout.write(`${line}\n`));
    process.stdout.write(names.length === 0 ? 'The database is up to date.\n' : `Done: ${names.length} migrations.\n`);
  } catch (error) {
    exitWith(error);
  }
}
