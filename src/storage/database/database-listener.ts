import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import type { DatabaseConnection } from './connection.js';
import { breakConnection } from './deadline-client.js';

const CONNECT_MILLISECONDS = 1000;
/** How often it is looked whether the server still answers: with a frozen one the connection stays open. */
const PING_MILLISECONDS = 5000;
const PING_DEADLINE_MILLISECONDS = 2000;
const FIRST_BACKOFF_MILLISECONDS = 250;
const MAX_BACKOFF_MILLISECONDS = 4000;

/**
 * Hears what other processes tell by NOTIFY, on a connection of its own that comes back by itself. What is said while it is
 * away is lost, so whoever listens looks for himself when it says `connected`.
 */
export class DatabaseListener {
  private readonly logger = new Logger('DatabaseListener');
  private readonly emitter = new EventEmitter();
  private readonly stopping = new AbortController();
  private client: pg.Client | null = null;
  private running: Promise<void> | null = null;
  private isConnected = false;
  /** Whether it was said that the connection is lost. */
  private isLostSaid = false;

  constructor(
    private readonly connection: DatabaseConnection,
    private readonly channels: readonly string[],
  ) {
    this.emitter.setMaxListeners(0);
  }

  /** Whether it would hear of a change now. */
  get isListening(): boolean {
    return this.isConnected;
  }

  /** Calls `listener` with the payload of each notification. */
  on(channel: string, listener: (payload: string) => void): () => void {
    this.emitter.on(channel, listener);
    return () => this.emitter.off(channel, listener);
  }

  /** Calls `listener` each time the connection is there (again). */
  onConnected(listener: () => void): void {
    this.emitter.on('connected', listener);
  }

  /** Begins to connect, and returns at once. */
  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    if (this.client) breakConnection(this.client);
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.listen();
      } catch (error) {
        if (this.isConnected) failures = 0;
        this.noteLost(error);
      }
      const wait = Math.min(MAX_BACKOFF_MILLISECONDS, FIRST_BACKOFF_MILLISECONDS * 2 ** failures);
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Until the connection breaks: never returns without an error. */
  private async listen(): Promise<never> {
    const { host, port, user, password, database, ssl } = this.connection;
    const client = new pg.Client({
      host,
      port,
      user,
      password,
      database,
      ssl,
      application_name: 'ai-model-hub listener',
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      query_timeout: PING_DEADLINE_MILLISECONDS,
      keepAlive: true,
    });
    this.client = client;
    const broken = new Promise<never>((_resolve, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('The connection ended')));
    });
    broken.catch(() => undefined);
    client.on('notification', ({ channel, payload }) => this.emitter.emit(channel, payload ?? ''));
    try {
      await client.connect();
      for (const channel of this.channels) await client.query(`LISTEN ${channel}`);
      this.noteConnected();
      this.emitter.emit('connected');
      return await Promise.race([broken, this.pingForEver(client)]);
    } finally {
      breakConnection(client);
    }
  }

  private async pingForEver(client: pg.Client): Promise<never> {
    for (;;) {
      await sleep(PING_MILLISECONDS, undefined, { signal: this.stopping.signal, ref: false });
      await client.query('SELECT 1');
    }
  }

  private noteConnected(): void {
    this.isConnected = true;
    if (this.isLostSaid) this.logger.log('The database tells changes of other processes again');
    this.isLostSaid = false;
  }

  private noteLost(error: unknown): void {
    if (!this.isConnected || this.stopping.signal.aborted) return;
    this.isConnected = false;
    this.isLostSaid = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.logger.warn({
      msg: 'Changes of other processes are found by looking until the database tells them again',
      reason,
    });
  }
}
