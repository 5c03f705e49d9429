import type { DynamicModule } from '@nestjs/common';
import { generateToken } from '../platform/auth/token-text.js';
import { Secret } from '../platform/secrets/secret.js';
import { ThisInstance } from '../platform/config/this-instance.js';
import { KeyRing } from './crypto/key-ring.js';
import { KeyRingHolder } from './crypto/key-ring-holder.js';
import { DatabaseListener } from './database/database-listener.js';
import { Database } from './database/database.js';
import { StorageProcesses } from './process/storage-processes.js';
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
export const describeStorage = (serviceToken: Secret): DynamicModule => {
  const database = new Database(NOWHERE, { onMigrated: () => Promise.resolve(), onFatal: () => undefined });
  const keys = new KeyRingHolder(KeyRing.generate().ring, null);
  return StorageModule.register(
    {
      database,
      keys,
      processes: new StorageProcesses(new ThisInstance('0'), database.dataSource, keys),
      embedded: null,
      listener: new DatabaseListener(NOWHERE, []),
      adminToken: Secret.of(generateToken('admin').text),
      adminTokenFile: null,
      isAdminTokenNew: false,
      close: () => Promise.resolve(),
    },
    serviceToken,
  );
};
