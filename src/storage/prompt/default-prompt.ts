import type { EntityManager } from 'typeorm';
import { DEFAULT_LABEL, versionAt } from '../../contract/prompt-names.js';
import { requiredWithoutDefault } from '../../contract/prompt-variables.js';
import { AppError } from '../../platform/errors/app-error.js';
import { findVersion, labelsOf } from './prompt-rows.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

/** A model's default prompt as its config names it; a label of null means `production`. */
export interface DefaultPrompt {
  systemPromptName: string | null;
  systemPromptLabel: string | null;
}

type Field = 'system_prompt_name' | 'system_prompt_label';

const refuse = (field: Field, message: string): AppError =>
  new AppError('default_prompt_not_usable', { detail: message, fields: [{ field, message }] });

/**
 * Keeps a prompt as it is until the transaction ends: whoever archives it, moves a label or adds a version waits, and
 * then sees the config. Always before the config's own row is locked, since an import locks in this order too. A key
 * share does not get into the way of counting its calls.
 */
export const holdPrompt = (manager: EntityManager, name: string): Promise<unknown> =>
  manager.query('SELECT 1 FROM system_prompt_templates WHERE name = $1 FOR KEY SHARE', [name]);

/** Throws `default_prompt_not_usable` unless calls of the model can use the prompt as it is now. */
export const requireUsable = async (
  manager: EntityManager,
  { systemPromptName: name, systemPromptLabel }: DefaultPrompt,
): Promise<void> => {
  if (name === null) return;
  await holdPrompt(manager, name);
  const row = await manager.findOneBy(SystemPromptTemplateEntity, { name });
  if (!row) throw refuse('system_prompt_name', `There is no prompt with the name ${name}.`);
  if (!row.isActive) throw refuse('system_prompt_name', `The prompt ${name} is archived.`);
  const label = systemPromptLabel ?? DEFAULT_LABEL;
  const labels = (await labelsOf(manager, [row.id])).get(row.id) ?? {};
  const version = versionAt(label, row.latestVersion, labels);
  if (version === undefined) throw refuse('system_prompt_label', `No version of ${name} has the label ${label}.`);
  const { variables } = await findVersion(manager, row.id, version);
  const missing = requiredWithoutDefault(variables);
  if (missing.length === 0) return;
  throw refuse(
    'system_prompt_name',
    `Version ${version} of ${name} needs values for ${missing.join(', ')}, and a model's default prompt gets none: give these variables defaults.`,
  );
};

/** Whether a change makes another prompt, or another label of it, the default. */
export const isSameDefault = (before: DefaultPrompt, after: DefaultPrompt): boolean =>
  before.systemPromptName === after.systemPromptName && before.systemPromptLabel === after.systemPromptLabel;
