import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Removes a DATA_DIR with its embedded database, which started by root lives elsewhere. */
export const removeDataDirectory = (dataDir) => {
  const elsewhere = join(dataDir, 'postgres-location');
  if (existsSync(elsewhere)) {
    rmSync(JSON.parse(readFileSync(elsewhere, 'utf8')).directory, { recursive: true, force: true });
  }
  rmSync(dataDir, { recursive: true, force: true });
};
