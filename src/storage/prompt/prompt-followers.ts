import type { EntityManager } from 'typeorm';
import { DEFAULT_LABEL, LATEST_LABEL } from '../../contract/prompt-names.js';
import { requiredWithoutDefault, type PromptVariable } from '../../contract/prompt-variables.js';
import { AppError } from '../../platform/errors/app-error.js';

/** Aliases that a refusal names. */
const MOST_NAMED = 100;

const FOLLOWERS = `SELECT alias FROM ai_model_configs
  WHERE system_prompt_name = $1 AND ($2::text IS NULL OR coalesce(system_prompt_label, '${DEFAULT_LABEL}') = $2)
  ORDER BY alias LIMIT ${MOST_NAMED}`;

/** The models whose default prompt this is, under this label or (null) any. The template's row has to be locked. */
const followersOf = async (manager: EntityManager, name: string, label: string | null): Promise<string[]> => {
  const rows = await manager.query<{ alias: string }[]>(FOLLOWERS, [name, label]);
  return rows.map(({ alias }) => alias);
};

/** Throws `prompt_in_use`, with the models, when there are any. */
export const refuseWhileFollowed = async (
  manager: EntityManager,
  name: string,
  label: string | null,
  why: string,
): Promise<void> => {
  const models = await followersOf(manager, name, label);
  if (models.length === 0) return;
  const as = label === null ? name : `${name} with the label ${label}`;
  throw new AppError('prompt_in_use', {
    detail: `${why} Models whose default prompt is ${as}: ${models.join(', ')}.`,
    extensions: { models },
  });
};

/** Refuses that a label comes to stand at a version that the models behind it cannot use. */
export const refuseUnusable = async (
  manager: EntityManager,
  name: string,
  label: string,
  version: { version: number; variables: readonly PromptVariable[] },
): Promise<void> => {
  const missing = requiredWithoutDefault(version.variables);
  if (missing.length === 0) return;
  const why = `Version ${version.version} needs values for ${missing.join(', ')}, and a model's default prompt gets none.`;
  await refuseWhileFollowed(manager, name, label, why);
};

/** The same for the label that every new version gets. */
export const refuseUnusableLatest = (
  manager: EntityManager,
  name: string,
  version: { version: number; variables: readonly PromptVariable[] },
): Promise<void> => refuseUnusable(manager, name, LATEST_LABEL, version);
