import { AppError } from '../../platform/errors/app-error.js';
import { isLockTimeout } from '../database/database-errors.js';
import type { Transaction } from '../database/transaction.js';
import type { ReadyModel } from './model-import.js';
import type { ReadyPrompt } from './prompt-import.js';

const TURN = `SELECT pg_advisory_xact_lock(hashtextextended('import', 0))`;
/** Thousands of values are checked between two statements; the transaction is not idle meanwhile. */
const WORK_ON = `SET LOCAL idle_in_transaction_session_timeout = '60s'`;

/** One import after the other, whichever process it comes to: each locks many rows. */
export const takeTurn = async ({ manager }: Transaction): Promise<void> => {
  try {
    await manager.query(TURN);
    await manager.query(WORK_ON);
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    throw new AppError('too_busy', {
      detail: 'Another import is under way; try again in a moment.',
      headers: { 'retry-after': '2' },
      cause: error,
    });
  }
};

const LOCK_PROMPTS = 'SELECT id FROM system_prompt_templates WHERE id = ANY($1) OR $2 ORDER BY id FOR UPDATE';
/** Default prompts of models, see `holdPrompt`. */
const HOLD_PROMPTS = 'SELECT id FROM system_prompt_templates WHERE name = ANY($1) ORDER BY id FOR KEY SHARE';
const LOCK_CONFIGS = 'SELECT id, alias FROM ai_model_configs WHERE id = ANY($1) OR $2 ORDER BY id FOR UPDATE';

interface Locked {
  /** null: the document does not speak of them. */
  prompts: ReadyPrompt[] | null;
  models: ReadyModel[] | null;
  prune: boolean;
}

const idsOf = (ready: readonly { id: string | null }[]): string[] =>
  ready.map(({ id }) => id).filter((id) => id !== null);

/**
 * Locks everything that is going to be written, in the one order in which everybody locks: prompts before configs, each
 * by id. Nothing was locked while the document was checked, so a config may be gone or have another alias by now.
 */
export const lockAll = async ({ manager }: Transaction, { prompts, models, prune }: Locked): Promise<void> => {
  if (prompts) await manager.query(LOCK_PROMPTS, [idsOf(prompts), prune]);
  if (!models) return;
  const names = models.map(({ body }) => body.system_prompt_name).filter((name) => typeof name === 'string');
  await manager.query(HOLD_PROMPTS, [[...new Set(names)]]);
  const rows = await manager.query<{ id: string; alias: string }[]>(LOCK_CONFIGS, [idsOf(models), prune]);
  const aliases = new Map(rows.map(({ id, alias }) => [id, alias]));
  const moved = models.find(({ id, alias }) => id !== null && aliases.get(id) !== alias);
  if (!moved) return;
  throw new AppError('conflict', {
    detail: `Nothing was changed. ${moved.path}: ${moved.alias} was renamed or deleted at the same moment; try again.`,
  });
};
