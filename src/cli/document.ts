import { readFile, writeFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { VARIABLE_NAMES } from '../platform/config/env.js';
import { fileErrorCode } from '../platform/files/file-error.js';
import { AppError } from '../platform/errors/app-error.js';
import { yamlToJson } from '../platform/yaml/read-yaml.js';
import { CliError, EXIT } from './cli-error.js';

const MAX_CHARACTERS = 64 * 1024 * 1024;
const STANDARD_INPUT = '-';

/** A document as it is sent: its text, and the values it refers to. */
export interface LocalDocument {
  text: string;
  env: Record<string, string>;
  isSealed: boolean;
}

const failure = (action: string, path: string, error: unknown): CliError =>
  new CliError(EXIT.usage, `${path} cannot be ${action} (${fileErrorCode(error)}).`);

const readText = async (path: string): Promise<string> => {
  if (path === STANDARD_INPUT) return readAll(process.stdin);
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw failure('read', path, error);
  });
};

/** Only for its owner: what is not secret in it may still be nobody else's business. */
export const writeText = async (path: string, text: string): Promise<void> => {
  await writeFile(path, text, { mode: 0o600 }).catch((error: unknown) => {
    throw failure('written', path, error);
  });
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const LITELLM_REFERENCE = /^os\.environ\/([A-Za-z_][A-Za-z0-9_]*)$/;

/** Names in `{from_env: NAME}` and `os.environ/NAME`, wherever they stand. */
const referencesIn = (value: unknown): string[] => {
  if (typeof value === 'string') return LITELLM_REFERENCE.exec(value)?.slice(1, 2) ?? [];
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  const { from_env: name } = value;
  return [...(typeof name === 'string' ? [name] : []), ...Object.values(value).flatMap(referencesIn)];
};

/** The hub's own settings and ours are no secrets of a model: no document gets them. */
const isOwn = (name: string): boolean => VARIABLE_NAMES.includes(name) || name.startsWith('HUB_');

const parse = async (text: string): Promise<unknown> => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return JSON.parse(await yamlToJson(text, MAX_CHARACTERS)) as unknown;
  }
};

/** Reads a document and takes what it refers to from the environment. */
export const readLocalDocument = async (
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LocalDocument> => {
  const text = await readText(path);
  const document = await parse(text).catch((error: unknown) => {
    throw new CliError(EXIT.usage, `${path}: ${error instanceof AppError ? error.detail : 'is neither YAML nor JSON'}`);
  });
  const names = [...new Set(referencesIn(document))];
  const own = names.filter(isOwn);
  if (own.length > 0) {
    throw new CliError(
      EXIT.usage,
      `${path} refers to ${own.join(', ')}: settings of the hub are never sent as a model's secrets.`,
    );
  }
  const isSet = (name: string): boolean => environment[name] !== undefined && environment[name] !== '';
  return {
    text,
    env: Object.fromEntries(names.filter(isSet).map((name) => [name, environment[name] ?? ''])),
    isSealed: isObject(document) && isObject(document['sealing']),
  };
};
