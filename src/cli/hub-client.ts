import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, EXIT, type ExitCode } from './cli-error.js';
import type { Connection } from './connection.js';

const SECOND = 1000;
/** Longer than the longest import: 5000 models take some ten seconds. */
const DEADLINE_MILLISECONDS = 600_000;

export interface HubRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Without a slash in front. */
  path: string;
  query?: Record<string, string | boolean | number | undefined>;
  body?: unknown;
  /** Sent again with the same key, a POST is carried out once. */
  idempotencyKey?: string;
  /** So long a refusal that says when to come back (`Retry-After`) is followed up; only for what may be sent twice. */
  patienceMilliseconds?: number;
}

interface Problem {
  code?: string;
  detail?: string;
  errors?: { field: string; message: string }[];
}

const TOKEN_CODES = new Set(['token_missing', 'token_invalid', 'scope_missing', 'scope_not_grantable']);

/** Speaks HTTP to a running hub. */
export class HubClient {
  constructor(private readonly connection: Connection) {}

  async json<Answer>(request: HubRequest): Promise<Answer> {
    const text = await this.text(request);
    try {
      return (text === '' ? null : JSON.parse(text)) as Answer;
    } catch {
      throw new CliError(EXIT.refused, `${this.origin} answered with something that is no JSON: is it a hub?`);
    }
  }

  /** The body of a good answer. Throws a CliError for a refusal, and when there is no answer. */
  async text(request: HubRequest): Promise<string> {
    const deadline = performance.now() + (request.patienceMilliseconds ?? 0);
    for (;;) {
      const answer = await this.exchange(request);
      const text = await answer.text();
      if (answer.ok) return text;
      const wait = Number(answer.headers.get('retry-after') ?? Infinity) * SECOND;
      if (!(performance.now() + wait < deadline)) throw refusalOf(answer.status, text);
      await sleep(wait);
    }
  }

  private exchange({ method = 'GET', path, query = {}, body, idempotencyKey }: HubRequest): Promise<Response> {
    const url = new URL(path, withSlash(this.connection.url));
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return this.send(url, {
      method,
      headers: {
        authorization: `Bearer ${this.connection.token.reveal()}`,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  private async send(url: URL, init: RequestInit): Promise<Response> {
    try {
      // A redirect would carry the token somewhere else.
      return await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(DEADLINE_MILLISECONDS) });
    } catch (error) {
      const cause = (error as { cause?: { code?: string; message?: string } }).cause;
      const reason = cause?.code ?? cause?.message ?? (error as Error).name;
      throw new CliError(
        EXIT.unavailable,
        `The hub at ${this.origin} cannot be reached (${reason}). Is HUB_URL right?`,
      );
    }
  }

  private get origin(): string {
    return this.connection.url.origin;
  }
}

const withSlash = (url: URL): URL => new URL(url.href.replace(/\/?$/, '/'));

const problemOf = (text: string): Problem => {
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return {};
  }
};

const exitCodeOf = (status: number, code: string | undefined): ExitCode => {
  if (code !== undefined && TOKEN_CODES.has(code)) return EXIT.token;
  return status >= 502 && status <= 504 ? EXIT.unavailable : EXIT.refused;
};

const refusalOf = (status: number, text: string): CliError => {
  const { code, detail, errors = [] } = problemOf(text);
  if (code === undefined)
    return new CliError(exitCodeOf(status, code), `The answer was ${status}, which is none of a hub.`);
  const fields = errors.map(({ field, message }) => `\n  ${field}: ${message}`);
  return new CliError(exitCodeOf(status, code), `${detail ?? 'It was refused.'} (${code})${fields.join('')}`);
};
