import { join } from 'node:path';
import { readSecretFile } from '../platform/config/secret-file.js';
import { StartupError } from '../platform/errors/startup-error.js';
import { Secret } from '../platform/secrets/secret.js';
import { CliError, EXIT } from './cli-error.js';

const DEFAULT_URL = 'http://127.0.0.1:8000';
const ADMIN_TOKEN_FILE = 'admin-token';
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** Which hub is spoken to, and as whom. */
export interface Connection {
  url: URL;
  token: Secret;
}

const urlOf = (environment: Environment): URL => {
  const text = environment['HUB_URL'] || DEFAULT_URL;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  throw new CliError(EXIT.usage, `HUB_URL must be an http or https address without user, such as ${DEFAULT_URL}.`);
};

const fromFile = (variable: string, path: string, advice: string): Secret => {
  try {
    return readSecretFile(variable, path, { mustBePrivate: false });
  } catch (error) {
    if (error instanceof StartupError) throw new CliError(EXIT.token, `${error.message} ${advice}`);
    throw error;
  }
};

const tokenOf = (environment: Environment, url: URL): Secret => {
  const { HUB_TOKEN: token, HUB_TOKEN_FILE: file, DATA_DIR: directory } = environment;
  if (token) return Secret.of(token.trim());
  if (file) return fromFile('HUB_TOKEN_FILE', file, '');
  // The token of the hub on this machine is for that hub alone.
  if (!LOOPBACK.test(url.hostname)) {
    throw new CliError(EXIT.token, 'No token: set HUB_TOKEN or HUB_TOKEN_FILE for a hub on another machine.');
  }
  const path = join(directory || './data', ADMIN_TOKEN_FILE);
  return fromFile(`DATA_DIR/${ADMIN_TOKEN_FILE}`, path, 'Set HUB_TOKEN, HUB_TOKEN_FILE or DATA_DIR.');
};

/** From `HUB_URL`, and `HUB_TOKEN`, `HUB_TOKEN_FILE` or the admin token in `DATA_DIR`; never from the command line. */
export const readConnection = (environment: Environment): Connection => {
  const url = urlOf(environment);
  return { url, token: tokenOf(environment, url) };
};
