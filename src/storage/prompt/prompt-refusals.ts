import { AppError } from '../../platform/errors/app-error.js';
import { violatesUnique } from '../database/database-errors.js';
import type { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

/** Throws `prompt_base_stale`: of two people who save from one base the second has not seen what the first one wrote. */
export const requireBase = ({ latestVersion }: SystemPromptTemplateEntity, base: number | undefined): void => {
  if (base === undefined || base === latestVersion) return;
  if (base > latestVersion)
    throw new AppError('version_not_found', {
      detail: `The prompt has no version ${base}; the newest is ${latestVersion}.`,
    });
  const message = `The newest version is ${latestVersion}, not ${base}: read it, and save from it.`;
  throw new AppError('prompt_base_stale', {
    detail: message,
    fields: [{ field: 'base_version', message }],
    extensions: { latest_version: latestVersion },
  });
};

/** Throws `prompt_name_fixed`. */
export const refuseOtherName = (name: string, sent: string | undefined): void => {
  if (sent === undefined || sent === name) return;
  const message = `The name of a prompt cannot be changed, since callers and models use it: ${name} stays. Create another prompt, or change display_name.`;
  throw new AppError('prompt_name_fixed', { detail: message, fields: [{ field: 'name', message }] });
};

/** Turns a taken name into `prompt_name_taken`. */
export const naming = async <Result>(name: string, write: Promise<Result>): Promise<Result> => {
  try {
    return await write;
  } catch (error) {
    if (!violatesUnique(error, 'uq_system_prompt_templates_name')) throw error;
    const message = `The name ${name} is taken by another prompt; names of archived ones stay taken.`;
    throw new AppError('prompt_name_taken', { detail: message, fields: [{ field: 'name', message }], cause: error });
  }
};
