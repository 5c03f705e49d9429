import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { aModelConfig } from '../factories/model-config.js';
import { aChat, CHAT, type Json } from './calls.js';
import { CONFIGS } from './hub.js';
import { percentile } from './chaos.js';
import { Ledger } from './ledger.js';

export type Kind = 'call' | 'read' | 'write' | 'live';

export interface Seen {
  kind: Kind;
  /** 0: the connection broke, or there was no answer for long. */
  status: number;
  code: unknown;
  retryAfter: string | null;
  /** Of what failed. */
  text: string;
  milliseconds: number;
}

/** As the last write left it; the version counts the writes, so that one that was done twice shows. */
export interface Written {
  priority: number;
  description: string;
  version: number;
}

export interface Place {
  /** Where models are called, and where they are managed. */
  callsAt: string;
  managedAt: string;
  token: string;
  /** Of a model that answers. */
  alias: unknown;
}

const CALLS_PER_SECOND = 25;
const READS_PER_SECOND = 15;
const LIVES_PER_SECOND = 20;
const WRITERS = 8;
const NAMES_OF_A_WRITER = 6;
const THINK_MILLISECONDS = 100;
const AGAIN_MILLISECONDS = 100;
/** A request that takes longer hangs. */
const HANG_MILLISECONDS = 15_000;
/** A write that is not done after so long, however often it was asked for, never will be. */
const WRITE_MILLISECONDS = 60_000;

const READS = [`${CONFIGS}?limit=20`, '/api/v1/ai-models/statistics', '/api/v1/history?limit=5'];
const IS_DONE = new Set([200, 201]);

/** Calls, reads and writes at a steady rate, whatever becomes of them; each write is repeated with its key until it is done. */
export class MixedLoad {
  readonly seen: Seen[] = [];
  readonly ledger = new Ledger<Written>();
  /** Of its own names: what another load wrote is none of its business. */
  private readonly name = `written-${randomBytes(3).toString('hex')}`;
  private readonly ids = new Map<string, string>();
  private readonly stopping = new AbortController();
  private readonly underWay: Promise<unknown>[] = [];

  constructor(
    private readonly place: Place,
    private readonly random: () => number,
  ) {}

  start(): this {
    this.repeat(CALLS_PER_SECOND, () => this.callOnce());
    this.repeat(READS_PER_SECOND, () => this.readOnce());
    this.repeat(LIVES_PER_SECOND, () => this.ask('live', 'GET', '/health/live'));
    for (let writer = 0; writer < WRITERS; writer += 1) {
      const writing = this.keepWriting(writer);
      // Thrown by stop().
      writing.catch(() => undefined);
      this.underWay.push(writing);
    }
    return this;
  }

  /** Ends when everything that was asked for was answered, and every write is done. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.underWay);
  }

  /** What was seen since the last time. */
  take(): Seen[] {
    return this.seen.splice(0);
  }

  /** What of the acknowledged writes is not there as it was acknowledged. */
  async losses(): Promise<string[]> {
    const answer = await this.fetch('GET', `${CONFIGS}?limit=1000`);
    const { models } = (await answer.json()) as { models: Json[] };
    const ours = models.filter(({ alias }) => String(alias).startsWith(this.name));
    return this.ledger.settle(
      new Map(
        ours.map(({ alias, priority, description, version }) => [
          String(alias),
          { priority, description, version } as Written,
        ]),
      ),
    );
  }

  private repeat(perSecond: number, work: () => Promise<unknown>): void {
    const timer = setInterval(() => this.underWay.push(work()), 1000 / perSecond);
    this.stopping.signal.addEventListener('abort', () => clearInterval(timer));
  }

  private callOnce(): Promise<Seen> {
    return this.ask('call', 'POST', CHAT, aChat(this.place.alias));
  }

  private readOnce(): Promise<Seen> {
    return this.ask('read', 'GET', READS[Math.floor(this.random() * READS.length)] as string);
  }

  private async keepWriting(writer: number): Promise<void> {
    const versions = new Map<string, number>();
    for (let number = 0; !this.stopping.signal.aborted; number += 1) {
      const alias = `${this.name}-${writer}-${number % NAMES_OF_A_WRITER}`;
      const version = (versions.get(alias) ?? 0) + 1;
      const fields = { priority: number, description: `${alias} ${'x'.repeat(Math.floor(this.random() * 200))}` };
      await this.ledger.write(alias, { ...fields, version }, () => this.writeUntilDone(alias, fields));
      versions.set(alias, version);
      await sleep(this.random() * THINK_MILLISECONDS);
    }
  }

  private async writeUntilDone(alias: string, fields: object): Promise<boolean> {
    const id = this.ids.get(alias);
    const [method, path] = id ? ['PUT', `${CONFIGS}/${id}`] : ['POST', CONFIGS];
    const body = id ? fields : aModelConfig({ alias, ...fields });
    const key = randomUUID();
    for (const end = Date.now() + WRITE_MILLISECONDS; Date.now() < end;) {
      const { status, text, code } = await this.ask('write', method, path, body, key);
      if (IS_DONE.has(status)) {
        this.ids.set(alias, String((JSON.parse(text) as Json)['id']));
        return true;
      }
      if (status !== 503 && status !== 0 && code !== 'idempotency_key_in_use') throw new Error(`${method}: ${text}`);
      await sleep(AGAIN_MILLISECONDS);
    }
    throw new Error(`${method} ${path} was never done`);
  }

  private async ask(kind: Kind, method: string, path: string, body?: object, key?: string): Promise<Seen> {
    const startedAt = performance.now();
    const seen: Seen = { kind, status: 0, code: null, retryAfter: null, text: '', milliseconds: 0 };
    try {
      const answer = await this.fetch(method, path, body, key);
      const text = await answer.text();
      Object.assign(seen, { status: answer.status, retryAfter: answer.headers.get('retry-after') });
      if (kind === 'write' || answer.status >= 400) seen.text = text;
      if (answer.status >= 400) seen.code = codeOf(text);
    } catch (error) {
      seen.text = String((error as Error).cause ?? error);
    }
    seen.milliseconds = performance.now() - startedAt;
    this.seen.push(seen);
    return seen;
  }

  private fetch(method: string, path: string, body?: object, key?: string): Promise<Response> {
    const at = path === CHAT ? this.place.callsAt : this.place.managedAt;
    return fetch(at + path, {
      method,
      headers: {
        authorization: `Bearer ${this.place.token}`,
        'content-type': 'application/json',
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(HANG_MILLISECONDS),
    });
  }
}

const codeOf = (text: string): unknown => {
  const answer = JSON.parse(text) as { code?: unknown; error?: { code?: unknown } };
  return answer.code ?? answer.error?.code ?? null;
};

const times = (seen: readonly Seen[], kind: Kind): number[] =>
  seen.filter((one) => one.kind === kind).map(({ milliseconds }) => milliseconds);

/** In milliseconds. */
export const p99Of = (seen: readonly Seen[], kind: Kind): number => Math.round(percentile(times(seen, kind), 0.99));
export const longestOf = (seen: readonly Seen[], kind: Kind): number => Math.round(Math.max(0, ...times(seen, kind)));

/** Such as `call 200: 431`. */
export const countsOf = (seen: readonly Seen[]): string => {
  const counts = new Map<string, number>();
  for (const { kind, status } of seen) counts.set(`${kind} ${status}`, (counts.get(`${kind} ${status}`) ?? 0) + 1);
  return [...counts]
    .map(([what, count]) => `${what}: ${count}`)
    .sort((one, other) => one.localeCompare(other))
    .join(', ');
};

const SQL = /\b(?:SELECT|INSERT|UPDATE|DELETE|COMMIT)\b|ECONN|at .*\.js/;

/** What nobody may be told while a database is in trouble; empty when all is well. */
export const wrongAnswers = (seen: readonly Seen[]): Seen[] =>
  seen.filter(({ kind, status, code, retryAfter, text }) => {
    if (status === 200 || status === 201) return false;
    if (kind === 'write' && code === 'idempotency_key_in_use') return false;
    if (kind === 'call' || kind === 'live' || status !== 503) return true;
    return !/^\d+$/.test(retryAfter ?? '') || SQL.test(text);
  });
