import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { UsageBatch, UsageReceipt } from '../../contract/usage.contract.js';
import { ChangeService } from '../database/change.service.js';
import { BatchSums } from './usage-rows.js';
import { sumByConfig, sumByPrompt, type ConfigSum } from './usage-sums.js';
import { addUsage } from './usage-writer.js';

const REMEMBER_BATCH = 'INSERT INTO usage_batches (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id';
/** A batch is sent again for as long as its sender lives or its spool lasts; a month is longer than both. */
const FORGET_BATCHES = `DELETE FROM usage_batches WHERE id IN
  (SELECT id FROM usage_batches WHERE received_at < now() - interval '30 days' LIMIT 1000)`;
const FORGET_EVERY_BATCHES = 1000;

const ADD_TO_CONFIG = `UPDATE ai_model_configs SET
    usage_count = usage_count + $2,
    error_count = error_count + $3,
    last_error = coalesce($5, last_error),
    last_used_at = greatest(last_used_at, $4::timestamptz)
  WHERE id = $1`;

const ADD_TO_PROMPT = `UPDATE system_prompt_templates SET
    usage_count = usage_count + $2,
    last_used_at = greatest(last_used_at, $3::timestamptz)
  WHERE id = $1`;

/** Only while it is still the key that was refused or accepted; what cannot be decrypted stays so. */
const NOTE_CREDENTIAL = `UPDATE ai_model_configs SET credential_error = $3
  WHERE id = $1 AND version = $2 AND credential_error IS DISTINCT FROM $3 AND credential_error IS DISTINCT FROM 'undecryptable'
  RETURNING id`;

const TOUCH_TOKENS = `UPDATE api_tokens SET last_used_at = now()
  WHERE id = ANY($1::uuid[]) AND coalesce(last_used_at < now() - interval '1 minute', true)`;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** What came in since the start; committed, so a batch that failed is in none of them. */
export interface ReceivedUsage {
  batches: number;
  /** Batches that were counted before. */
  duplicates: number;
  /** Of the batches that were counted. */
  records: number;
}

/** Adds batches of usage records to the counters, each batch once. */
@Injectable()
export class UsageService {
  readonly received: ReceivedUsage = { batches: 0, duplicates: 0, records: 0 };
  private batches = 0;
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly changes: ChangeService) {}

  /** Called after this process has counted a batch. */
  onRecorded(listener: () => void): void {
    this.listeners.push(listener);
  }

  async record(batch: UsageBatch): Promise<UsageReceipt> {
    const receipt = await this.add(batch);
    this.noteReceived(receipt);
    if (!receipt.duplicate) for (const listener of this.listeners) listener();
    return receipt;
  }

  private noteReceived({ duplicate, accepted }: UsageReceipt): void {
    if (duplicate) this.received.duplicates += 1;
    else {
      this.received.batches += 1;
      this.received.records += accepted;
    }
  }

  private add(batch: UsageBatch): Promise<UsageReceipt> {
    return this.changes.observe(async (manager) => {
      const remembered = await manager.query<unknown[]>(REMEMBER_BATCH, [batch.batch_id]);
      const receipt = { batch_id: batch.batch_id, accepted: batch.records.length, duplicate: remembered.length === 0 };
      if (receipt.duplicate) return { result: receipt, changedConfigIds: [] };
      await addUsage(manager, new BatchSums(batch.records));
      // Prompts before configs: an import locks its rows in this order too.
      await this.addToPrompts(manager, batch);
      const changedConfigIds = await this.addToConfigs(manager, sumByConfig(batch.records));
      await this.touchTokens(manager, batch);
      await this.forgetOldBatches(manager);
      return { result: receipt, changedConfigIds };
    });
  }

  /** Answers whose key was found bad or good again: that changes the status of a config, so also the revision. */
  private async addToConfigs(manager: EntityManager, sums: ConfigSum[]): Promise<string[]> {
    const changed: string[] = [];
    for (const sum of sums) {
      const { configId, calls, errors, lastUsedAt, lastError } = sum;
      await manager.query(ADD_TO_CONFIG, [configId, calls, errors, new Date(lastUsedAt), lastError?.text ?? null]);
      if (sum.credential && (await this.noteCredential(manager, configId, sum.credential))) changed.push(configId);
    }
    return changed;
  }

  private async noteCredential(
    manager: EntityManager,
    configId: string,
    { version, isRejected }: NonNullable<ConfigSum['credential']>,
  ): Promise<boolean> {
    const [rows] = await manager.query<[unknown[], number]>(NOTE_CREDENTIAL, [
      configId,
      version,
      isRejected ? 'rejected' : null,
    ]);
    return rows.length > 0;
  }

  private async addToPrompts(manager: EntityManager, batch: UsageBatch): Promise<void> {
    for (const { promptId, calls, lastUsedAt } of sumByPrompt(batch.records)) {
      await manager.query(ADD_TO_PROMPT, [promptId, calls, new Date(lastUsedAt)]);
    }
  }

  private async touchTokens(manager: EntityManager, batch: UsageBatch): Promise<void> {
    const ids = new Set(batch.records.map((record) => record.token_id ?? '').filter((id) => UUID.test(id)));
    if (ids.size > 0) await manager.query(TOUCH_TOKENS, [[...ids].sort()]);
  }

  private async forgetOldBatches(manager: EntityManager): Promise<void> {
    this.batches += 1;
    if (this.batches % FORGET_EVERY_BATCHES === 0) await manager.query(FORGET_BATCHES);
  }
}
