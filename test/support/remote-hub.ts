import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aModelConfig } from '../factories/model-config.js';
import type { Json } from './calls.js';
import { createTestDatabase } from './database.js';
import { startHubProcess, type HubProcess } from './hub-process.js';
import { CONFIGS, randomKeyRing } from './hub.js';

const TOKEN = 'remote-hub-token-0123456789-0123456789';

export interface RemoteAnswer {
  status: number;
  headers: Headers;
  json: Json;
}

/** A hub in a process of its own, role `all`, on a database of its own. */
export interface RemoteHub {
  readonly process: HubProcess;
  readonly url: string;
  readonly adminToken: string;
  ask(method: string, path: string, body?: Json, token?: string): Promise<RemoteAnswer>;
  save(fields: Json): Promise<Json>;
  close(): Promise<void>;
}

/** `start`: how the process is started, where that is not as usual. */
export const startRemoteHub = async (
  env: Record<string, string> = {},
  start: (env: Record<string, string>) => Promise<HubProcess> = startHubProcess,
): Promise<RemoteHub> => {
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-remote-'));
  const hub = await start({
    PORT: '0',
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    ENCRYPTION_KEYS: randomKeyRing(),
    ADMIN_TOKEN: TOKEN,
    ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
    ...env,
  });
  const ask: RemoteHub['ask'] = async (method, path, body, token = TOKEN) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(hub.url + path, {
      method,
      headers: body ? headers : { authorization: headers.authorization },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    return { status: answer.status, headers: answer.headers, json: (await answer.json().catch(() => ({}))) as Json };
  };
  return {
    process: hub,
    url: hub.url,
    adminToken: TOKEN,
    ask,
    save: async (fields) => {
      const { status, json } = await ask('POST', CONFIGS, aModelConfig({ max_retries: 0, ...fields }));
      if (status !== 201) throw new Error(`Not saved: ${status} ${JSON.stringify(json)}`);
      return json;
    },
    close: async () => {
      await hub.stop();
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};
