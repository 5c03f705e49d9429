import type { ModelConfigUpdate } from '../../contract/model-config.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { Language } from '../../platform/http/accept-language.js';
import { StorageError, translateStorageError } from '../storage-client/storage-errors.js';
import type { ManagedModelUpdate } from './management.requests.js';
import { refusalInChinese } from './management-texts.js';

/** A config's fields that this API has always called otherwise. */
const LEGACY_NAME: Readonly<Record<string, string>> = {
  default_temperature: 'temperature',
  custom_parameters: 'custom_params',
};

/** The change as storage takes it: what was not sent is not there. */
export const toConfigChange = ({ temperature, custom_params, ...same }: ManagedModelUpdate): ModelConfigUpdate => ({
  ...same,
  ...(temperature !== undefined && { default_temperature: temperature }),
  ...(custom_params !== undefined && { custom_parameters: custom_params }),
});

const inLegacyNames = (text: string): string =>
  text.replace(/\b(?:default_temperature|custom_parameters)\b/g, (name) => LEGACY_NAME[name] ?? name);

/** What storage said against it, by the names that the caller knows and in his language. */
export const toLegacyError = (error: unknown, language: Language): unknown => {
  const known = error instanceof StorageError ? translateStorageError(error) : null;
  if (!known) return error;
  const { code, status, headers, fields } = known;
  const detail = inLegacyNames(known.detail);
  return new AppError(code, {
    status,
    headers,
    detail: language === 'zh-CN' ? refusalInChinese(code, detail) : detail,
    fields: fields?.map(({ field, message }) => ({
      field: LEGACY_NAME[field] ?? field,
      message: inLegacyNames(message),
    })),
    cause: error,
  });
};
