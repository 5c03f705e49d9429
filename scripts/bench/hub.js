// The hub of a bench, with authentication, logs and usage on, as it is run in production.
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from './children.js';

export const startHub = async (directories, more = {}, program = '../dist/src/main.js') => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-bench-'));
  directories.push(directory);
  const token = `bench-${randomBytes(24).toString('hex')}`;
  const env = { PORT: '0', DATA_DIR: directory, ADMIN_TOKEN: token, LOG_FORMAT: 'json', SERVICE_ROLE: 'all', ...more };
  return { ...(await start(program, env)), token };
};

/** Saves a model under an alias. */
export const createModel = async ({ url, token }, alias, provider, apiBase) => {
  const body = { alias, provider, model_name: 'm', api_key: 'key-of-the-bench', api_base: apiBase };
  const answer = await fetch(`${url}/api/v1/ai-models/configs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`The model could not be saved: ${answer.status} ${await answer.text()}`);
};
