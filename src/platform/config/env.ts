import { IsIn, IsInt, IsNumber, IsOptional, IsString, Matches, Max, Min, validateSync } from 'class-validator';
import { mayBeToken } from '../auth/token-text.js';
import { StartupError } from '../errors/startup-error.js';
import { type PrivateOrigins, parsePrivateOrigins, LOOPBACK_ORIGINS } from '../http/outbound/private-origins.js';
import { Secret } from '../secrets/secret.js';
import { parseCollectorHeaders } from '../tracing/collector-headers.js';
import { readSecretFile } from './secret-file.js';

export const SERVICE_ROLES = ['all', 'storage', 'ai-model'] as const;
export type ServiceRole = (typeof SERVICE_ROLES)[number];
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const LOG_FORMATS = ['json', 'pretty'] as const;

const TOKEN_FORM = 'must be 32 to 256 printable ASCII characters without spaces';

/**
 * Every environment variable of the product, read once. The properties are the variables' own names. `meaning` texts
 * are in `.env.example`, which a test compares with this class.
 */
export class Env {
  @IsIn(SERVICE_ROLES, { message: `must be one of ${SERVICE_ROLES.join(', ')}` })
  SERVICE_ROLE: ServiceRole = 'all';

  @IsString()
  @Matches(/^[A-Za-z0-9.:_-]{1,253}$/, { message: 'must be a host name or an IP address' })
  HOST = '127.0.0.1';

  @IsInt({ message: 'must be a whole number from 0 to 65535' })
  @Min(0, { message: 'must be a whole number from 0 to 65535' })
  @Max(65_535, { message: 'must be a whole number from 0 to 65535' })
  PORT = 8000;

  /** A PostgreSQL 15 or newer; unset: the embedded one. Secret, since it carries a password. */
  @IsOptional()
  DATABASE_URL?: Secret;

  @IsString()
  @Matches(/^[^\0]{1,4096}$/, { message: 'must be a path' })
  DATA_DIR = './data';

  /** Key ring `id:base64-of-32-bytes`, comma-separated; parsed by the storage service's key ring. */
  @IsOptional()
  ENCRYPTION_KEYS?: Secret;

  /** Where ENCRYPTION_KEYS was read from; unset: not from a file. It may change while the process runs. */
  @IsOptional()
  ENCRYPTION_KEYS_FILE?: string;

  @IsOptional()
  ADMIN_TOKEN?: Secret;

  @IsOptional()
  @Matches(/^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/, {
    message: 'must be an http or https address without user, query or fragment',
  })
  STORAGE_SERVICE_URL?: string;

  /** Seconds. */
  @IsNumber({ allowNaN: false, allowInfinity: false }, { message: 'must be a number of seconds from 0.1 to 600' })
  @Min(0.1, { message: 'must be a number of seconds from 0.1 to 600' })
  @Max(600, { message: 'must be a number of seconds from 0.1 to 600' })
  STORAGE_SERVICE_TIMEOUT = 30;

  @IsOptional()
  STORAGE_SERVICE_TOKEN?: Secret;

  @IsOptional()
  REDIS_URL?: Secret;

  /** Where people reach this hub, for links in messages; without a slash at the end. */
  @IsOptional()
  @Matches(/^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/, {
    message: 'must be an http or https address without user, query or fragment',
  })
  PUBLIC_URL?: string;

  /** Where traces go, by OTLP over HTTP; unset: nowhere, and none are made. `/v1/traces` is appended. */
  @IsOptional()
  @Matches(/^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/, {
    message: 'must be an http or https address without user, query or fragment',
  })
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  /** What the collector asks for, such as a key: `name=value`, comma-separated, values percent-encoded. */
  @IsOptional()
  OTEL_EXPORTER_OTLP_HEADERS?: Secret;

  @IsString()
  @Matches(/^[\x20-\x7e]{1,255}$/, { message: 'must be 1 to 255 printable ASCII characters' })
  OTEL_SERVICE_NAME = 'ai-model-hub';

  /** The share of the traces that begin here that is recorded; of the others their beginner decides. */
  @IsNumber({ allowNaN: false, allowInfinity: false }, { message: 'must be a number from 0 to 1' })
  @Min(0, { message: 'must be a number from 0 to 1' })
  @Max(1, { message: 'must be a number from 0 to 1' })
  OTEL_TRACES_SAMPLER_ARG = 1;

  ALLOWED_PRIVATE_ORIGINS: PrivateOrigins;

  @IsInt({ message: 'must be a whole number from 1 to 1024' })
  @Min(1, { message: 'must be a whole number from 1 to 1024' })
  @Max(1024, { message: 'must be a whole number from 1 to 1024' })
  MAX_CALL_BODY_MB = 32;

  @IsInt({ message: 'must be a whole number from 1 to 1000000' })
  @Min(1, { message: 'must be a whole number from 1 to 1000000' })
  @Max(1_000_000, { message: 'must be a whole number from 1 to 1000000' })
  AUTH_FAILURES_PER_MINUTE = 60;

  /** Days that sums of usage by the minute are kept; whole hours and days tell of what was before. */
  @IsInt({ message: 'must be a whole number from 1 to 3650' })
  @Min(1, { message: 'must be a whole number from 1 to 3650' })
  @Max(3650, { message: 'must be a whole number from 1 to 3650' })
  USAGE_MINUTES_RETENTION_DAYS = 35;

  /** Days that sums of usage by the hour are kept; those by the day are kept for ever. */
  @IsInt({ message: 'must be a whole number from 1 to 36500' })
  @Min(1, { message: 'must be a whole number from 1 to 36500' })
  @Max(36_500, { message: 'must be a whole number from 1 to 36500' })
  USAGE_HOURS_RETENTION_DAYS = 400;

  /** Minutes without a good answer after which a model is tested; 0: never. */
  @IsInt({ message: 'must be 0 or a whole number from 5 to 1440' })
  @Min(0, { message: 'must be 0 or a whole number from 5 to 1440' })
  @Max(1440, { message: 'must be 0 or a whole number from 5 to 1440' })
  CONNECTION_TEST_INTERVAL_MINUTES = 0;

  /** Scheduled tests per UTC day, of all processes together. */
  @IsInt({ message: 'must be a whole number from 1 to 100000' })
  @Min(1, { message: 'must be a whole number from 1 to 100000' })
  @Max(100_000, { message: 'must be a whole number from 1 to 100000' })
  CONNECTION_TESTS_PER_DAY = 200;

  /** Megabytes of usage that are kept on disk while the storage service cannot be reached. */
  @IsInt({ message: 'must be a whole number from 1 to 100000' })
  @Min(1, { message: 'must be a whole number from 1 to 100000' })
  @Max(100_000, { message: 'must be a whole number from 1 to 100000' })
  USAGE_SPOOL_MB = 256;

  /** Seconds from the signal to the end of the process. */
  @IsInt({ message: 'must be a whole number of seconds from 2 to 3600' })
  @Min(2, { message: 'must be a whole number of seconds from 2 to 3600' })
  @Max(3600, { message: 'must be a whole number of seconds from 2 to 3600' })
  SHUTDOWN_TIMEOUT = 10;

  @IsIn(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` })
  LOG_LEVEL: (typeof LOG_LEVELS)[number] = 'info';

  @IsIn(LOG_FORMATS, { message: `must be one of ${LOG_FORMATS.join(', ')}` })
  LOG_FORMAT: (typeof LOG_FORMATS)[number] = process.stdout.isTTY ? 'pretty' : 'json';

  get runsStorage(): boolean {
    return this.SERVICE_ROLE !== 'ai-model';
  }

  get runsAiModel(): boolean {
    return this.SERVICE_ROLE !== 'storage';
  }

  /** The storage service brings its own PostgreSQL. */
  get isDatabaseEmbedded(): boolean {
    return this.runsStorage && this.DATABASE_URL === undefined;
  }
}

type Source = Record<string, string | undefined>;

/** Variables that hold a secret; those with `file` can also be given as `<NAME>_FILE`, which then wins. */
const SECRETS = [
  { name: 'DATABASE_URL', file: false },
  { name: 'ENCRYPTION_KEYS', file: true, mustBePrivate: true },
  { name: 'ADMIN_TOKEN', file: true },
  { name: 'STORAGE_SERVICE_TOKEN', file: true },
  { name: 'REDIS_URL', file: false },
  { name: 'OTEL_EXPORTER_OTLP_HEADERS', file: false },
] as const;
const TEXTS = [
  'SERVICE_ROLE',
  'HOST',
  'DATA_DIR',
  'STORAGE_SERVICE_URL',
  'PUBLIC_URL',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_SERVICE_NAME',
  'LOG_LEVEL',
  'LOG_FORMAT',
] as const;
const NUMBERS = [
  'PORT',
  'STORAGE_SERVICE_TIMEOUT',
  'MAX_CALL_BODY_MB',
  'AUTH_FAILURES_PER_MINUTE',
  'USAGE_MINUTES_RETENTION_DAYS',
  'USAGE_HOURS_RETENTION_DAYS',
  'CONNECTION_TEST_INTERVAL_MINUTES',
  'CONNECTION_TESTS_PER_DAY',
  'USAGE_SPOOL_MB',
  'SHUTDOWN_TIMEOUT',
  'OTEL_TRACES_SAMPLER_ARG',
] as const;

/** Names of all variables that are read, for the test of `.env.example`. */
export const VARIABLE_NAMES: readonly string[] = [
  ...TEXTS,
  ...NUMBERS,
  'ALLOWED_PRIVATE_ORIGINS',
  ...SECRETS.flatMap((secret) => (secret.file ? [secret.name, `${secret.name}_FILE`] : [secret.name])),
];

const fail = (variable: string, message: string): never => {
  throw new StartupError(`${variable} ${message}.`);
};

const takeSecret = (source: Source, { name, file, ...rules }: (typeof SECRETS)[number]): Secret | undefined => {
  const path = file ? source[`${name}_FILE`] : undefined;
  const text = source[name];
  // Out of reach of anything that prints or inherits the environment later.
  delete source[name];
  if (path) return readSecretFile(`${name}_FILE`, path, { mustBePrivate: 'mustBePrivate' in rules });
  return text ? Secret.of(text) : undefined;
};

const toNumber = (text: string): number => (/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN);

const readPrivateOrigins = (source: Source, env: Env): PrivateOrigins => {
  const text = source['ALLOWED_PRIVATE_ORIGINS'];
  if (text === undefined || text === '') return env.isDatabaseEmbedded ? LOOPBACK_ORIGINS : [];
  if (text === 'none') return [];
  try {
    return parsePrivateOrigins(text);
  } catch (error) {
    return fail(
      'ALLOWED_PRIVATE_ORIGINS',
      `is not valid: ${error instanceof Error ? error.message : 'see .env.example'}`,
    );
  }
};

const checkTokens = (env: Env): void => {
  for (const name of ['ADMIN_TOKEN', 'STORAGE_SERVICE_TOKEN'] as const) {
    const token = env[name];
    if (token && !mayBeToken(token.reveal())) fail(name, TOKEN_FORM);
  }
};

const checkDatabaseUrl = (url: Secret | undefined): void => {
  if (url && !/^postgres(?:ql)?:\/\/\S+$/.test(url.reveal())) {
    fail('DATABASE_URL', 'must be of the form postgresql://user:password@host:5432/database');
  }
};

const checkRedisUrl = (url: Secret | undefined): void => {
  if (url && !/^rediss?:\/\/\S+$/.test(url.reveal())) {
    fail('REDIS_URL', 'must be of the form redis://user:password@host:6379/0, or rediss:// for TLS');
  }
};

const checkCollectorHeaders = (headers: Secret | undefined): void => {
  if (headers && parseCollectorHeaders(headers.reveal()) === null) {
    fail('OTEL_EXPORTER_OTLP_HEADERS', 'must be of the form name=value,name=value with percent-encoded values');
  }
};

const checkRole = (env: Env): void => {
  if (env.SERVICE_ROLE === 'ai-model' && !env.STORAGE_SERVICE_URL) {
    fail('STORAGE_SERVICE_URL', 'must be set in role ai-model: it says where the storage service is');
  }
  if (env.SERVICE_ROLE !== 'all' && !env.STORAGE_SERVICE_TOKEN) {
    fail('STORAGE_SERVICE_TOKEN', 'must be set in the roles storage and ai-model, to the same value in both');
  }
};

const checkRetention = (env: Env): void => {
  if (env.USAGE_HOURS_RETENTION_DAYS < env.USAGE_MINUTES_RETENTION_DAYS) {
    fail('USAGE_HOURS_RETENTION_DAYS', 'must not be less than USAGE_MINUTES_RETENTION_DAYS');
  }
};

const checkTestInterval = ({ CONNECTION_TEST_INTERVAL_MINUTES: minutes }: Env): void => {
  if (minutes > 0 && minutes < 5) {
    fail('CONNECTION_TEST_INTERVAL_MINUTES', 'must be 0 or a whole number from 5 to 1440');
  }
};

/**
 * Reads and checks the environment, and takes the secrets out of `source`. A wrong value throws a {@link StartupError}
 * with exit code 78 that names the variable, never its value. An empty variable counts as unset.
 */
export function readEnv(source: Source): Env {
  const env = new Env();
  const values = env as unknown as Record<string, unknown>;
  for (const name of TEXTS) if (source[name]) values[name] = source[name];
  for (const name of NUMBERS) if (source[name]) values[name] = toNumber(source[name]);
  for (const secret of SECRETS) values[secret.name] = takeSecret(source, secret);
  if (source['ENCRYPTION_KEYS_FILE']) env.ENCRYPTION_KEYS_FILE = source['ENCRYPTION_KEYS_FILE'];
  const [problem] = validateSync(env, { skipMissingProperties: false });
  if (problem) fail(problem.property, Object.values(problem.constraints ?? {})[0] ?? 'is not valid');
  env.PUBLIC_URL = env.PUBLIC_URL?.replace(/\/+$/, '');
  env.ALLOWED_PRIVATE_ORIGINS = readPrivateOrigins(source, env);
  checkTokens(env);
  checkDatabaseUrl(env.DATABASE_URL);
  checkRedisUrl(env.REDIS_URL);
  checkCollectorHeaders(env.OTEL_EXPORTER_OTLP_HEADERS);
  checkRole(env);
  checkRetention(env);
  checkTestInterval(env);
  return env;
}
