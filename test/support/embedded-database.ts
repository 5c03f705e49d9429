import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

/** Where root's embedded servers live when their own user cannot enter DATA_DIR. */
const SHARED_DIRECTORY = '/var/lib/ai-model-hub/';

/** The directory that holds the embedded PostgreSQL of a data directory. */
export const databaseDirectory = (dataDir: string): string => {
  const location = join(dataDir, 'postgres-location');
  return existsSync(location)
    ? (JSON.parse(readFileSync(location, 'utf8')) as { directory: string }).directory
    : join(dataDir, 'postgres');
};

const pidFile = (dataDir: string): string[] | null => {
  const path = join(databaseDirectory(dataDir), 'data', 'postmaster.pid');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : null;
};

/** The process number of the embedded server, null when none runs. */
export const databasePid = (dataDir: string): number | null => {
  const pid = Number(pidFile(dataDir)?.[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  try {
    process.kill(pid, 0);
    return pid;
  } catch {
    return null;
  }
};

const isNumber = (name: string): boolean => /^\d+$/.test(name);

const commandOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** Every process that works on the database of a data directory, `initdb` included; Linux only. */
export const databaseProcesses = (dataDir: string): string[] => {
  const directories = [dataDir, databaseDirectory(dataDir)];
  return readdirSync('/proc')
    .filter(isNumber)
    .map(commandOf)
    .filter((command) => /postgres|initdb/.test(command) && directories.some((place) => command.includes(place)));
};

/** Connects to the running embedded server as its superuser, beside the application. */
export const connectToEmbedded = async (dataDir: string): Promise<pg.Client> => {
  const [, , , port, host] = pidFile(dataDir) ?? [];
  const client = new pg.Client({ host, port: Number(port), user: 'hub', database: 'ai_model_hub' });
  // The server may be killed by a test.
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

/** Removes a data directory of a test, and the database that lives outside of it. */
export const removeDataDirectory = (dataDir: string): void => {
  const database = databaseDirectory(dataDir);
  if (database.startsWith(SHARED_DIRECTORY)) rmSync(database, { recursive: true, force: true });
  rmSync(dataDir, { recursive: true, force: true });
};
