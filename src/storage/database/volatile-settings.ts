import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';

const logger = new Logger('Database');
const FIND = `SELECT name FROM pg_settings
  WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name`;

/** Says so when the server may lose what it acknowledged; it is the operator's server, so nothing is refused. */
export const warnOfVolatileSettings = async (dataSource: DataSource): Promise<void> => {
  const settings = (await dataSource.query<{ name: string }[]>(FIND)).map(({ name }) => name);
  if (settings.length === 0) return;
  const msg = 'PostgreSQL runs with settings that lose acknowledged changes, or damage the database, in a crash';
  logger.warn({ msg, switched_off: settings, what_to_do: 'switch them on in postgresql.conf' });
};
