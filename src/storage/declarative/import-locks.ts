import { AppError } from '../../platform/errors/app-error.js';
import { isLockTimeout } from '../database/database-errors.js';
import type { Transaction } from '../database/transaction.js';
import type { ReadyModel } from './model-import.js';
import type { ReadyPrompt } from './prompt-import.js';
import type { ReadyRule } from './rule-import.js';

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
const LOCK_CONFIGS = 'SELECT id, alias AS name FROM ai_model_configs WHERE id = ANY($1) OR $2 ORDER BY id FOR UPDATE';
const LOCK_RULES = 'SELECT id, name FROM alert_rules WHERE id = ANY($1) OR $2 ORDER BY id FOR UPDATE';

interface Locked {
  /** null: the document does not speak of them. */
  prompts: ReadyPrompt[] | null;
  models: ReadyModel[] | null;
  rules: ReadyRule[] | null;
  prune: boolean;
}

const idsOf = (ready: readonly { id: string | null }[]): string[] =>
  ready.map(({ id }) => id).filter((id) => id !== null);

/**
 * Locks everything that is going to be written, in the one order in which everybody locks: prompts, configs, alert rules, each by id.
 * Nothing was locked while the document was checked, so one of them may be gone or have another name by now.
 */
export const lockAll = async ({ manager }: Transaction, { prompts, models, rules, prune }: Locked): Promise<void> => {
  if (prompts) await manager.query(LOCK_PROMPTS, [idsOf(prompts), prune]);
  if (models) {
    const names = models.map(({ body }) => body.system_prompt_name).filter((name) => typeof name === 'string');
    await manager.query(HOLD_PROMPTS, [[...new Set(names)]]);
    const rows = await manager.query<{ id: string; name: string }[]>(LOCK_CONFIGS, [idsOf(models), prune]);
    requireUnmoved(
      models.map(({ path, id, alias }) => ({ path, id, name: alias })),
      rows,
    );
  }
  if (rules) requireUnmoved(rules, await manager.query(LOCK_RULES, [idsOf(rules), prune]));
};

interface Named {
  id: string | null;
  name: string;
}

const requireUnmoved = (ready: readonly (Named & { path: string })[], rows: readonly Named[]): void => {
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  const moved = ready.find(({ id, name }) => id !== null && names.get(id) !== name);
  if (!moved) return;
  throw new AppError('conflict', {
    detail: `Nothing was changed. ${moved.path}: ${moved.name} was renamed or deleted at the same moment; try again.`,
  });
};
