import type { EntityManager } from 'typeorm';
import type { SnapshotDifference } from '../../contract/snapshot.contract.js';
import { readSnapshotBudgets } from '../budget/snapshot-budgets.js';
import type { ConfigCredentials } from '../model-config/config-credentials.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import { readSnapshotPrompts } from '../prompt/snapshot-prompts.js';
import { SystemPromptTemplateEntity } from '../prompt/system-prompt-template.entity.js';
import { readModels } from './snapshot-models.js';
import { countSnapshotTokens, readSnapshotTokens } from './snapshot-tokens.js';

/** More is cheaper to read whole. */
export const MAX_CHANGED_SUBJECTS = 1000;

/** What a revision changed is in its history; what the hub noticed by itself, on the config. */
export const CHANGED_SUBJECTS = `SELECT kind, subject_id FROM change_history
    WHERE revision > $1 AND kind IN ('config', 'token', 'prompt', 'prompt_label') GROUP BY kind, subject_id
  UNION SELECT 'config', id::text FROM ai_model_configs WHERE observed_revision > $1
  LIMIT ${MAX_CHANGED_SUBJECTS + 1}`;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

interface Subject {
  kind: 'config' | 'token' | 'prompt' | 'prompt_label';
  subject_id: string;
}

type ChangedIds = Record<'models' | 'tokens' | 'prompts', string[]>;

const LIST_OF = { config: 'models', token: 'tokens', prompt: 'prompts', prompt_label: 'prompts' } as const;

/** What changed after the revision `since`, by id; null: too much. */
const findChanged = async (manager: EntityManager, since: number): Promise<ChangedIds | null> => {
  const subjects = await manager.query<Subject[]>(CHANGED_SUBJECTS, [since]);
  if (subjects.length > MAX_CHANGED_SUBJECTS) return null;
  const ids = { models: new Set<string>(), tokens: new Set<string>(), prompts: new Set<string>() };
  // The list of protected labels is in the history too, and not in the snapshot.
  for (const { kind, subject_id: id } of subjects) if (UUID.test(id)) ids[LIST_OF[kind]].add(id);
  return { models: [...ids.models], tokens: [...ids.tokens], prompts: [...ids.prompts] };
};

/** The ids that were asked for and are not there any more. */
const missingFrom = (ids: readonly string[], found: readonly { id: string }[]): string[] => {
  const there = new Set(found.map(({ id }) => id));
  return ids.filter((id) => !there.has(id));
};

/** In one transaction that sees one moment. null: the whole snapshot is simpler. */
export const readDifference = async (
  manager: EntityManager,
  credentials: ConfigCredentials,
  { since, revision }: { since: number; revision: number },
): Promise<SnapshotDifference | null> => {
  const changed = await findChanged(manager, since);
  if (!changed) return null;
  const models = await readModels(manager, credentials, changed.models);
  const tokens = changed.tokens.length === 0 ? [] : await readSnapshotTokens(manager, changed.tokens);
  const prompts = changed.prompts.length === 0 ? [] : await readSnapshotPrompts(manager, changed.prompts);
  return {
    since,
    revision,
    models,
    tokens,
    prompts,
    budgets: await readSnapshotBudgets(manager),
    removed: {
      models: missingFrom(changed.models, models),
      tokens: missingFrom(changed.tokens, tokens),
      prompts: missingFrom(changed.prompts, prompts),
    },
    totals: {
      models: await manager.count(ModelConfigEntity),
      // And the admin token, which is configured and not stored.
      tokens: (await countSnapshotTokens(manager)) + 1,
      prompts: await manager.count(SystemPromptTemplateEntity),
    },
  };
};
