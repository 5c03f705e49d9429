import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable, Optional } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { RedisConnection } from '../../platform/redis/redis-connection.js';
import { KeyRingHolder } from '../crypto/key-ring-holder.js';
import { ChangeService } from '../database/change.service.js';

/**
 * A change is another revision, hence another name, so this bounds what moves without one: the counters in a list, and
 * sums of calls. Their records are a second on their way here, and may be as late again; 'now' in an answer's range too.
 */
const LIFE_MILLISECONDS = 1000;
const MAX_BYTES = 1024 * 1024;
const MAC_BYTES = 32;
const OPENING_BRACE = 0x7b;

/** What tells this database from any other that shares the Redis, even from one that has the same keys. */
const FIND_DATABASE = `SELECT revision, current_database() AS name,
  (SELECT sealed_constant FROM encryption_key_checks ORDER BY created_at, key_id LIMIT 1) AS mark FROM hub_revision`;

interface DatabaseRow {
  revision: string;
  name: string;
  mark: string | null;
}

/** All that decides an answer, besides what is in the database. */
export interface Question {
  route: string;
  query: object;
}

/**
 * Answers of the storage service as they were sent, in Redis for a second. The name of one holds the newest revision
 * that this process knows, and its bytes are authenticated under a key of the ring: what somebody else wrote there is
 * not served. Without a Redis that can be used every question is answered by the database.
 */
@Injectable()
export class AnswerCache {
  /** Questions by what answered them, while Redis could be used. One that waited for another's answer is in neither. */
  readonly lookups = { hit: 0, miss: 0 };
  private database: string | null = null;
  private revision = 0;
  /** The same question, asked again while it is answered, waits for that answer. */
  private readonly underWay = new Map<string, Promise<Buffer>>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly keys: KeyRingHolder,
    changes: ChangeService,
    @Optional() private readonly redis?: RedisConnection,
  ) {
    changes.onRevision((revision) => this.learn(revision));
  }

  /** The answer as JSON text, with the type that says so; without Redis as the object it is. */
  async send<Answer extends object>(
    reply: FastifyReply,
    question: Question,
    work: () => Promise<Answer>,
  ): Promise<Answer | Buffer> {
    if (!this.redis?.isUsable) return work();
    const bytes = await this.bytesOf(question, work);
    void reply.type('application/json; charset=utf-8');
    return bytes;
  }

  /** The answer as an object, for whoever has to look into it. */
  async read<Answer extends object>(question: Question, work: () => Promise<Answer>): Promise<Answer> {
    if (!this.redis?.isUsable) return work();
    return JSON.parse((await this.bytesOf(question, work)).toString('utf8')) as Answer;
  }

  private learn(revision: number): void {
    this.revision = Math.max(this.revision, revision);
  }

  private async bytesOf(question: Question, work: () => Promise<object>): Promise<Buffer> {
    const name = await this.nameOf(question);
    const begun = this.underWay.get(name);
    if (begun) return begun;
    const answer = this.findOrLoad(name, work).finally(() => this.underWay.delete(name));
    this.underWay.set(name, answer);
    return answer;
  }

  private async nameOf({ route, query }: Question): Promise<string> {
    this.database ??= await this.findDatabase();
    const fields = Object.entries(query).filter(([, value]) => value !== undefined);
    const sorted = fields.sort(([a], [b]) => (a < b ? -1 : 1));
    const text = JSON.stringify([this.database, this.revision, route, sorted]);
    return `hub:answer:${this.mac(text).toString('base64url')}`;
  }

  private async findDatabase(): Promise<string> {
    const [row] = await this.dataSource.query<DatabaseRow[]>(FIND_DATABASE);
    this.learn(Number(row?.revision));
    return JSON.stringify([row?.name, row?.mark]);
  }

  private async find(name: string): Promise<Buffer | null> {
    const found = await this.redis?.run((redis) => redis.getrangeBuffer(name, 0, MAC_BYTES + MAX_BYTES));
    if (!found || found.length <= MAC_BYTES || found.length > MAC_BYTES + MAX_BYTES) return null;
    const bytes = found.subarray(MAC_BYTES);
    const isOurs = timingSafeEqual(found.subarray(0, MAC_BYTES), this.mac(name, bytes));
    return isOurs && bytes[0] === OPENING_BRACE ? bytes : null;
  }

  private async findOrLoad(name: string, work: () => Promise<object>): Promise<Buffer> {
    const found = await this.find(name);
    this.lookups[found ? 'hit' : 'miss'] += 1;
    if (found) return found;
    const bytes = Buffer.from(JSON.stringify(await work()));
    this.keep(name, bytes);
    return bytes;
  }

  private keep(name: string, bytes: Buffer): void {
    if (bytes.length > MAX_BYTES) return;
    const value = Buffer.concat([this.mac(name, bytes), bytes]);
    // Nobody waits for it, and it never throws.
    void this.redis?.run((redis) => redis.set(name, value, 'PX', LIFE_MILLISECONDS));
  }

  private mac(name: string, bytes: Buffer = Buffer.alloc(0)): Buffer {
    return createHmac('sha256', this.keys.current.derive('cache')).update(`${name}\n`).update(bytes).digest();
  }
}
