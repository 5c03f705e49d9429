import { DataSource } from 'typeorm';
import { readEnv } from '../../platform/config/env.js';
import { Secret } from '../../platform/secrets/secret.js';
import { connectionFromUrl } from './connection.js';
import { dataSourceOptions, MIGRATING } from './data-source-options.js';

/** For TypeORM's command line: `npx typeorm migration:show -d dist/src/storage/database/data-source.js`. */
const url = readEnv(process.env).DATABASE_URL ?? Secret.of('postgresql://localhost/ai_model_hub');

export default new DataSource(dataSourceOptions(connectionFromUrl(url), MIGRATING));
