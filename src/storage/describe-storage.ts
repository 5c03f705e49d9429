import type { DynamicModule } from '@nestjs/common';
import { generateToken } from '../platform/auth/token-text.js';
import { Secret } from '../platform/secrets/secret.js';
import { KeyRing } from './crypto/key-ring.js';
import { Database } from './database/database.js';
import { StorageModule } from './storage.module.js';

const NOWHERE = {
  host: 'localhost',
  port: 5432,
  user: undefined,
  password: undefined,
  database: 'none',
  ssl: undefined,
};

/** The module with its routes and nothing behind them: for the OpenAPI document, which needs no database. */
export const describeStorage = (serviceToken: Secret): DynamicModule =>
  StorageModule.register(
    {
      database: new Database(NOWHERE, { onMigrated: () => Promise.resolve(), onFatal: () => undefined }),
      keyRing: KeyRing.generate().ring,
      adminToken: Secret.of(generateToken('admin').text),
      adminTokenFile: null,
      close: () => Promise.resolve(),
    },
    serviceToken,
  );
