import { afterAll, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartupError } from '../errors/startup-error.js';
import { LOOPBACK_ORIGINS } from '../http/outbound/private-origins.js';
import { type Env, readEnv, VARIABLE_NAMES } from './env.js';

type Source = Record<string, string | undefined>;

const TOKEN = 'a-token-that-is-long-enough-for-this';
const directory = mkdtempSync(join(tmpdir(), 'hub-env-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
const fileWith = (text: string, mode = 0o600): string => {
  const path = join(directory, `file-${(files += 1)}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

const errorOf = (source: Source): StartupError => {
  try {
    readEnv(source);
  } catch (error) {
    if (error instanceof StartupError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
};

const revealed = (
  env: Env,
  name:
    | 'DATABASE_URL'
    | 'ENCRYPTION_KEYS'
    | 'ADMIN_TOKEN'
    | 'STORAGE_SERVICE_TOKEN'
    | 'REDIS_URL'
    | 'OTEL_EXPORTER_OTLP_HEADERS',
) => env[name]?.reveal();

describe('readEnv', () => {
  it('has the documented defaults when nothing is set', () => {
    const env = readEnv({});
    expect({ ...env }).toEqual({
      SERVICE_ROLE: 'all',
      HOST: '127.0.0.1',
      PORT: 8000,
      DATABASE_URL: undefined,
      DATA_DIR: './data',
      ENCRYPTION_KEYS: undefined,
      ADMIN_TOKEN: undefined,
      STORAGE_SERVICE_URL: undefined,
      STORAGE_SERVICE_TIMEOUT: 30,
      STORAGE_SERVICE_TOKEN: undefined,
      REDIS_URL: undefined,
      OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
      OTEL_EXPORTER_OTLP_HEADERS: undefined,
      OTEL_SERVICE_NAME: 'ai-model-hub',
      OTEL_TRACES_SAMPLER_ARG: 1,
      PUBLIC_URL: undefined,
      ALLOWED_PRIVATE_ORIGINS: LOOPBACK_ORIGINS,
      MAX_CALL_BODY_MB: 32,
      AUTH_FAILURES_PER_MINUTE: 60,
      USAGE_MINUTES_RETENTION_DAYS: 35,
      USAGE_HOURS_RETENTION_DAYS: 400,
      CONNECTION_TEST_INTERVAL_MINUTES: 0,
      CONNECTION_TESTS_PER_DAY: 200,
      USAGE_SPOOL_MB: 256,
      SHUTDOWN_TIMEOUT: 10,
      LOG_LEVEL: 'info',
      LOG_FORMAT: process.stdout.isTTY ? 'pretty' : 'json',
    });
    expect(env).toMatchObject({ runsStorage: true, runsAiModel: true, isDatabaseEmbedded: true });
  });

  it('takes what is set', () => {
    const env = readEnv({
      SERVICE_ROLE: 'storage',
      HOST: '::',
      PORT: '0',
      DATABASE_URL: 'postgresql://me:secret@db:5432/hub?sslmode=require',
      DATA_DIR: '/data',
      ENCRYPTION_KEYS: 'k1:abc',
      ADMIN_TOKEN: TOKEN,
      STORAGE_SERVICE_URL: 'https://storage.test:8443/base',
      STORAGE_SERVICE_TIMEOUT: '0.5',
      STORAGE_SERVICE_TOKEN: `${TOKEN}-2`,
      REDIS_URL: 'redis://:secret@cache:6379',
      PUBLIC_URL: 'https://hub.test/team/',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.test/team-1',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret',
      OTEL_SERVICE_NAME: 'hub-of-team-1',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      ALLOWED_PRIVATE_ORIGINS: 'http://10.0.0.5:11434',
      MAX_CALL_BODY_MB: '8',
      AUTH_FAILURES_PER_MINUTE: '7',
      USAGE_MINUTES_RETENTION_DAYS: '2',
      USAGE_HOURS_RETENTION_DAYS: '3',
      CONNECTION_TEST_INTERVAL_MINUTES: '30',
      CONNECTION_TESTS_PER_DAY: '50',
      USAGE_SPOOL_MB: '1024',
      SHUTDOWN_TIMEOUT: '30',
      LOG_LEVEL: 'debug',
      LOG_FORMAT: 'pretty',
    });
    expect(env).toMatchObject({
      SERVICE_ROLE: 'storage',
      HOST: '::',
      PORT: 0,
      DATA_DIR: '/data',
      STORAGE_SERVICE_URL: 'https://storage.test:8443/base',
      STORAGE_SERVICE_TIMEOUT: 0.5,
      PUBLIC_URL: 'https://hub.test/team',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.test/team-1',
      OTEL_SERVICE_NAME: 'hub-of-team-1',
      OTEL_TRACES_SAMPLER_ARG: 0.25,
      ALLOWED_PRIVATE_ORIGINS: [{ scheme: 'http', host: '10.0.0.5', port: 11_434 }],
      MAX_CALL_BODY_MB: 8,
      AUTH_FAILURES_PER_MINUTE: 7,
      USAGE_MINUTES_RETENTION_DAYS: 2,
      USAGE_HOURS_RETENTION_DAYS: 3,
      CONNECTION_TEST_INTERVAL_MINUTES: 30,
      CONNECTION_TESTS_PER_DAY: 50,
      USAGE_SPOOL_MB: 1024,
      SHUTDOWN_TIMEOUT: 30,
      LOG_LEVEL: 'debug',
      LOG_FORMAT: 'pretty',
      runsStorage: true,
      runsAiModel: false,
      isDatabaseEmbedded: false,
    });
    expect(revealed(env, 'DATABASE_URL')).toBe('postgresql://me:secret@db:5432/hub?sslmode=require');
    expect(revealed(env, 'ENCRYPTION_KEYS')).toBe('k1:abc');
    expect(revealed(env, 'ADMIN_TOKEN')).toBe(TOKEN);
    expect(revealed(env, 'STORAGE_SERVICE_TOKEN')).toBe(`${TOKEN}-2`);
    expect(revealed(env, 'REDIS_URL')).toBe('redis://:secret@cache:6379');
    expect(revealed(env, 'OTEL_EXPORTER_OTLP_HEADERS')).toBe('api-key=secret');
  });

  it('counts an empty variable as unset', () => {
    const empty = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, '']));
    expect({ ...readEnv(empty) }).toEqual({ ...readEnv({}) });
  });

  it('allows no private origin by default where the database is not embedded', () => {
    const withDatabase = readEnv({ DATABASE_URL: 'postgres://db/hub' });
    const withoutStorage = readEnv({
      SERVICE_ROLE: 'ai-model',
      STORAGE_SERVICE_URL: 'http://storage:8000',
      STORAGE_SERVICE_TOKEN: TOKEN,
    });
    expect(withDatabase.ALLOWED_PRIVATE_ORIGINS).toEqual([]);
    expect(withoutStorage).toMatchObject({
      ALLOWED_PRIVATE_ORIGINS: [],
      isDatabaseEmbedded: false,
      runsStorage: false,
    });
  });

  it('takes the secrets out of the source, and leaves the rest', () => {
    const source: Source = {
      PORT: '1',
      DATABASE_URL: 'postgres://me:secret@db/hub',
      ENCRYPTION_KEYS: 'k1:abc',
      ADMIN_TOKEN: TOKEN,
      STORAGE_SERVICE_TOKEN: TOKEN,
      REDIS_URL: 'redis://cache',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret',
    };
    const env = readEnv(source);
    expect(source).toEqual({ PORT: '1' });
    expect(JSON.stringify(env)).not.toMatch(/secret|k1:abc|a-token|redis:/);
  });

  it.each(['ENCRYPTION_KEYS', 'ADMIN_TOKEN', 'STORAGE_SERVICE_TOKEN'] as const)(
    'prefers the file of %s, without the newline at its end, and takes the variable out all the same',
    (name) => {
      const source: Source = {
        [name]: `${TOKEN}-of-the-variable`,
        [`${name}_FILE`]: fileWith(`${TOKEN}-of-the-file\n`),
      };
      expect(revealed(readEnv(source), name)).toBe(`${TOKEN}-of-the-file`);
      expect(source).not.toHaveProperty(name);
    },
  );

  it('wants a file of keys to be private, as far as the system knows of such a thing', () => {
    const error = errorOf({ ENCRYPTION_KEYS_FILE: fileWith('k1:abc', 0o640) });
    expect(error.message).toMatch(/^ENCRYPTION_KEYS_FILE .*0600/);
    expect(revealed(readEnv({ ADMIN_TOKEN_FILE: fileWith(TOKEN, 0o644) }), 'ADMIN_TOKEN')).toBe(TOKEN);
  });

  const roleOf = { SERVICE_ROLE: 'ai-model', STORAGE_SERVICE_TOKEN: TOKEN };

  it.each<[variable: string, value: string, others?: Source]>([
    ['SERVICE_ROLE', 'everything'],
    ['SERVICE_ROLE', 'ALL'],
    ['HOST', 'http://elsewhere'],
    ['HOST', 'two hosts'],
    ['PORT', 'eighty'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['PORT', '1e3'],
    ['DATABASE_URL', 'mysql://me:secret@db/hub'],
    ['DATABASE_URL', 'secret@db'],
    ['DATABASE_URL', 'postgres://me:se cret@db/hub'],
    ['DATA_DIR', 'with\0nul'],
    ['STORAGE_SERVICE_URL', 'storage:8000'],
    ['STORAGE_SERVICE_URL', 'http://me:secret@storage'],
    ['STORAGE_SERVICE_URL', 'http://storage/?key=secret'],
    ['STORAGE_SERVICE_TIMEOUT', '0'],
    ['STORAGE_SERVICE_TIMEOUT', '601'],
    ['STORAGE_SERVICE_TIMEOUT', '30s'],
    ['STORAGE_SERVICE_TIMEOUT', 'Infinity'],
    ['STORAGE_SERVICE_TOKEN', 'too-short'],
    ['STORAGE_SERVICE_TOKEN', 'with spaces in it, so that no header can carry it'],
    ['ADMIN_TOKEN', 'too-short'],
    ['ADMIN_TOKEN', 'x'.repeat(257)],
    ['ADMIN_TOKEN', 'with-umlauts-äöü-and-long-enough-too'],
    ['ADMIN_TOKEN_FILE', '/nowhere/at/all'],
    ['ENCRYPTION_KEYS_FILE', '/nowhere/at/all'],
    ['STORAGE_SERVICE_TOKEN_FILE', '/nowhere/at/all'],
    ['ALLOWED_PRIVATE_ORIGINS', '10.0.0.5'],
    ['ALLOWED_PRIVATE_ORIGINS', 'http://10.0.0.5:80/path'],
    ['ALLOWED_PRIVATE_ORIGINS', 'http://*:80'],
    ['ALLOWED_PRIVATE_ORIGINS', 'http://169.254.169.254:80'],
    ['MAX_CALL_BODY_MB', '0'],
    ['MAX_CALL_BODY_MB', '1025'],
    ['MAX_CALL_BODY_MB', '1.5'],
    ['AUTH_FAILURES_PER_MINUTE', '0'],
    ['AUTH_FAILURES_PER_MINUTE', '1000001'],
    ['USAGE_MINUTES_RETENTION_DAYS', '0'],
    ['USAGE_MINUTES_RETENTION_DAYS', '3651'],
    ['USAGE_HOURS_RETENTION_DAYS', '1.5'],
    ['USAGE_HOURS_RETENTION_DAYS', '36501'],
    ['USAGE_HOURS_RETENTION_DAYS', '34'],
    ['CONNECTION_TEST_INTERVAL_MINUTES', '4'],
    ['CONNECTION_TEST_INTERVAL_MINUTES', '1441'],
    ['CONNECTION_TEST_INTERVAL_MINUTES', '7.5'],
    ['CONNECTION_TESTS_PER_DAY', '0'],
    ['CONNECTION_TESTS_PER_DAY', '100001'],
    ['USAGE_SPOOL_MB', '0'],
    ['SHUTDOWN_TIMEOUT', '1'],
    ['SHUTDOWN_TIMEOUT', '2.5'],
    ['REDIS_URL', 'cache:6379'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://me:pass@collector:4318'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a-key-without-a-name'],
    ['OTEL_SERVICE_NAME', 'two\nlines'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_TRACES_SAMPLER_ARG', 'half'],
    ['PUBLIC_URL', 'hub.test'],
    ['PUBLIC_URL', 'https://me:pass@hub.test'],
    ['LOG_LEVEL', 'chatty'],
    ['LOG_FORMAT', 'colourful'],
    ['STORAGE_SERVICE_URL', '', roleOf],
    ['STORAGE_SERVICE_TOKEN', '', { SERVICE_ROLE: 'storage' }],
    ['STORAGE_SERVICE_TOKEN', '', { SERVICE_ROLE: 'ai-model', STORAGE_SERVICE_URL: 'http://storage' }],
  ])('refuses %s=%j by its name, in one line, and without its value', (variable, value, others = {}) => {
    const error = errorOf({ ...others, [variable]: value });
    expect(error.exitCode).toBe(78);
    expect(error.message).toMatch(new RegExp(`^${variable} [^\\n]+\\.$`));
    if (value.length > 3) expect(error.message).not.toContain(value);
    expect(error.message).not.toContain('secret');
    expect(error.cause).toBeUndefined();
  });

  it.each([
    ['empty', ''],
    ['a newline only', '\n'],
    ['too large', 'x'.repeat(65_537)],
  ])('refuses a file that is %s', (_what, text) => {
    expect(errorOf({ ADMIN_TOKEN_FILE: fileWith(text) }).message).toMatch(
      /^ADMIN_TOKEN_FILE names? |^ADMIN_TOKEN_FILE must/,
    );
  });

  it('reads every variable that it lists, and no other', () => {
    const asked = new Set<string>();
    const source = new Proxy<Source>(
      {},
      {
        get: (_target, name) => {
          asked.add(String(name));
          return undefined;
        },
      },
    );
    readEnv(source);
    expect([...asked].sort()).toEqual([...VARIABLE_NAMES].sort());
  });
});

describe('.env.example', () => {
  const text = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');

  it('names every variable, and none that does not exist', () => {
    const named = [...text.matchAll(/^(?:# ?)?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name);
    expect([...new Set(named)].sort()).toEqual([...VARIABLE_NAMES].sort());
  });

  it('sets nothing that would stop a start, when it is copied as it is', () => {
    const set = Object.fromEntries(
      [...text.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
    expect(() => readEnv(set)).not.toThrow();
  });
});
