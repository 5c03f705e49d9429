import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import supertest from 'supertest';
import { createApp, type HubApplication } from '../../src/app/create-app.js';
import type { CreatedToken } from '../../src/contract/token.contract.js';
import type { GrantableScope } from '../../src/contract/scopes.js';
import { readEnv } from '../../src/platform/config/env.js';
import { createLogger } from '../../src/platform/logging/logger.js';
import { createTestDatabase, type TestDatabase } from './database.js';

export const CONFIGS = '/api/v1/ai-models/configs';

export interface TestHub {
  readonly url: string;
  readonly application: HubApplication;
  readonly adminToken: string;
  readonly serviceToken: string;
  readonly database: TestDatabase;
  readonly dataDir: string;
  /** Everything logged so far, at debug. */
  readonly logs: () => string;
  /** A request with the admin token (or another one) in it. */
  request(method: 'get' | 'post' | 'put' | 'delete' | 'patch', path: string, token?: string | null): supertest.Test;
  createToken(...scopes: GrantableScope[]): Promise<string>;
  /** Stops the application and leaves the database, for a start after it. */
  stop(): Promise<void>;
  /** Stops the application and removes everything. */
  close(): Promise<void>;
}

export interface TestHubOptions {
  /** Environment variables beside those of every test; undefined takes one away. */
  env?: Record<string, string | undefined>;
  /** A database that is there already. */
  database?: TestDatabase;
  dataDir?: string;
}

const randomToken = (): string => `test-token-${randomBytes(24).toString('hex')}`;

export const randomKeyRing = (id = 'k1'): string => `${id}:${randomBytes(32).toString('base64')}`;

const baseEnv = (database: TestDatabase, dataDir: string): Record<string, string | undefined> => ({
  PORT: '0',
  DATABASE_URL: database.url,
  DATA_DIR: dataDir,
  ENCRYPTION_KEYS: randomKeyRing(),
  ADMIN_TOKEN: randomToken(),
  STORAGE_SERVICE_TOKEN: randomToken(),
  ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*,http://localhost:*',
  AUTH_FAILURES_PER_MINUTE: '1000000',
  LOG_LEVEL: 'debug',
  LOG_FORMAT: 'json',
});

/** The real application on a real PostgreSQL, listening on a free port. */
export async function startHub(options: TestHubOptions = {}): Promise<TestHub> {
  const database = options.database ?? (await createTestDatabase());
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'hub-test-data-'));
  const source = { ...baseEnv(database, dataDir), ...options.env };
  const adminToken = source['ADMIN_TOKEN'] ?? '';
  const serviceToken = source['STORAGE_SERVICE_TOKEN'] ?? '';
  const lines: string[] = [];
  const env = readEnv({ ...source });
  const logger = createLogger(env, { write: (line: string) => void lines.push(line) });
  const application = await createApp(env, { logger });
  const url = await application.listen();

  const request: TestHub['request'] = (method, path, token = adminToken) => {
    const test = supertest(url)[method](path);
    return token === null ? test : test.set('authorization', `Bearer ${token}`);
  };
  return {
    url,
    application,
    adminToken,
    serviceToken,
    database,
    dataDir,
    logs: () => lines.join(''),
    request,
    createToken: async (...scopes) => {
      const answer = await request('post', '/api/v1/tokens').send({ name: 'test', scopes }).expect(201);
      return (answer.body as CreatedToken).token;
    },
    stop: async () => void (await application.close()),
    close: async () => {
      await application.close();
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
