import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import {
  type AlertChannelCreate,
  type AlertChannelList,
  type AlertChannelUpdate,
  type AlertChannelView,
  MAX_CHANNELS,
} from '../../contract/alert-channel.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';
import { OutboundPolicy } from '../../platform/http/outbound/outbound-policy.js';
import { ChangeService } from '../database/change.service.js';
import { violatesUnique } from '../database/database-errors.js';
import { requireCurrent, type Precondition } from '../database/precondition.js';
import type { Transaction } from '../database/transaction.js';
import { retryQueuedNow } from '../notification/outbox.js';
import { AlertChannelEntity } from './alert-channel.entity.js';
import { toChannelView, smtpOf, toColumns, toHistoryState } from './alert-channel.mapper.js';
import { ChannelCredentials } from './channel-credentials.js';
import { checkChannel } from './channel-rules.js';
import { readChannels } from './read-channels.js';

/** Any number, as long as every process of the product takes the same: one channel is made at a time. */
const CHANNELS_LOCK = 4_200_723_006;
const TAKE_LOCK = 'SELECT pg_advisory_xact_lock($1)';

/** Channels: where messages go. */
@Injectable()
export class AlertChannelService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly credentials: ChannelCredentials,
    private readonly policy: OutboundPolicy,
  ) {}

  async list(): Promise<AlertChannelList> {
    const rows = await readChannels(this.dataSource.manager)
      .orderBy('channel.name', 'ASC')
      .take(MAX_CHANNELS)
      .getMany();
    return { channels: rows.map((row) => this.viewOf(row)), total: rows.length };
  }

  async read(id: string): Promise<AlertChannelView> {
    return this.viewOf(await findChannel(this.dataSource.manager, id));
  }

  create(body: AlertChannelCreate, author: Author): Promise<AlertChannelView> {
    return this.changes.commit(author, async (transaction) => {
      const { manager } = transaction;
      await manager.query(TAKE_LOCK, [CHANNELS_LOCK]);
      if ((await manager.count(AlertChannelEntity)) >= MAX_CHANNELS) throw tooMany();
      // The id is part of what a secret is sealed for, so it is chosen here and not by the database.
      const row = manager.create(AlertChannelEntity, {
        ...EMPTY,
        id: randomUUID(),
        kind: body.kind,
        ...toColumns(body),
      });
      this.check(row, body, null);
      await writing(
        body.name,
        manager.insert(AlertChannelEntity, { ...row, ...this.credentials.columnsFor(row, body, null) }),
      );
      const created = await findChannel(manager, row.id);
      record(transaction, 'create', null, created);
      return this.viewOf(created);
    });
  }

  /** Absent fields keep their value, `null` clears. A change that changes nothing keeps the version too. */
  update(id: string, body: AlertChannelUpdate, author: Author, precondition: Precondition): Promise<AlertChannelView> {
    return this.changes.commit(author, async (transaction) => {
      const { manager } = transaction;
      const before = await lock(manager, id, precondition);
      const columns = toColumns(body);
      const after = { ...before, ...columns };
      this.check(after, body, before);
      const change = { ...columns, ...this.credentials.columnsFor(after, body, before) };
      if (!differs(before, change)) return this.viewOf(before);
      const next = { ...change, version: before.version + 1, updatedAt: () => 'now()' };
      await writing(after.name, manager.update(AlertChannelEntity, { id }, next));
      // Somebody has mended it, perhaps: what waits need not wait any longer.
      await retryQueuedNow(manager, id);
      const updated = await findChannel(manager, id);
      record(transaction, 'update', before, updated);
      return this.viewOf(updated);
    });
  }

  /** What waits for it is given up. */
  remove(id: string, author: Author, precondition: Precondition): Promise<void> {
    return this.changes.commit(author, async (transaction) => {
      const before = await lock(transaction.manager, id, precondition);
      await transaction.manager.delete(AlertChannelEntity, { id });
      record(transaction, 'delete', before, null);
    });
  }

  private viewOf(row: AlertChannelEntity): AlertChannelView {
    return toChannelView(row, this.credentials.open(row) !== null);
  }

  private check(row: AlertChannelEntity, change: AlertChannelUpdate, before: AlertChannelEntity | null): void {
    const { url = row.url, secret = row.secret } = change;
    const checked = {
      kind: row.kind,
      hasUrl: url !== null,
      hasSecret: secret !== null,
      hasSmtp: row.smtpHost !== null,
      smtpUser: row.smtpUser,
      newMailServer: before && isSameMailServer(before, row) ? null : smtpOf(row),
    };
    checkChannel(checked, change, this.policy);
  }
}

/** What a new channel has where the body says nothing; the database has defaults for the rest. */
const EMPTY = { url: null, secret: null, smtpHost: null, smtpPort: null, smtpUser: null } as const;

/** With its secrets. Throws `alert_channel_not_found`. */
export const findChannel = async (manager: EntityManager, id: string): Promise<AlertChannelEntity> => {
  const row = await readChannels(manager).where('channel.id = :id', { id }).getOne();
  if (!row) throw new AppError('alert_channel_not_found');
  return row;
};

/** Writers of one channel queue here, so none of them works on a stale row. */
const lock = async (manager: EntityManager, id: string, precondition: Precondition): Promise<AlertChannelEntity> => {
  const row = await readChannels(manager).where('channel.id = :id', { id }).setLock('pessimistic_write').getOne();
  if (!row) throw new AppError('alert_channel_not_found');
  requireCurrent(precondition, row.version, 'channel');
  return row;
};

const record = (
  transaction: Transaction,
  action: 'create' | 'update' | 'delete',
  before: AlertChannelEntity | null,
  after: AlertChannelEntity | null,
): void => {
  const { id, name, version } = (after ?? before) as AlertChannelEntity;
  transaction.record({
    kind: 'alert_channel',
    subjectId: id,
    subjectName: name,
    action,
    version: after ? version : version + 1,
    before: before && toHistoryState(before),
    after: after && toHistoryState(after),
  });
};

const isSameMailServer = (before: AlertChannelEntity, after: AlertChannelEntity): boolean =>
  before.smtpHost === after.smtpHost &&
  before.smtpPort === after.smtpPort &&
  before.smtpSecurity === after.smtpSecurity;

const differs = (row: AlertChannelEntity, change: object): boolean =>
  Object.entries(change).some(([column, value]) => !isDeepStrictEqual(row[column as keyof AlertChannelEntity], value));

const tooMany = (): AppError =>
  new AppError('too_many_alert_channels', {
    detail: `There are ${MAX_CHANNELS} channels already, which is the most; remove one that is not needed.`,
  });

const writing = async <Result>(name: string, write: Promise<Result>): Promise<Result> => {
  try {
    return await write;
  } catch (error) {
    if (!violatesUnique(error, 'uq_alert_channels_name')) throw error;
    const message = `The name ${name} is taken by another channel.`;
    throw new AppError('alert_channel_name_taken', {
      detail: message,
      fields: [{ field: 'name', message }],
      cause: error,
    });
  }
};
