import { isPlainObject } from '../../contract/fields.js';
import { StorageUnavailable } from './storage-errors.js';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';

/** The fields that show what kind of answer it is. */
export type AnswerFields = Readonly<Record<string, Check>>;

export const CONFIG: AnswerFields = { id: isText, alias: isText };
export const CONFIG_LIST: AnswerFields = { models: Array.isArray, total: Number.isSafeInteger };
export const STATISTICS: AnswerFields = { usage_count: Number.isSafeInteger };
export const HEALTH: AnswerFields = { status: isText };
export const GRANT: AnswerFields = { config_ids: (value) => Array.isArray(value) && value.every(isText) };
export const SESSION: AnswerFields = {
  session: (value) => value === null || (isPlainObject(value) && isText(value['key']) && isText(value['expires_at'])),
};
export const receiptOf = (batchId: string): AnswerFields => ({ batch_id: (value) => value === batchId });

/** What a proxy says with status 200 is no answer: taken for a list it would be empty, for a receipt it would lose usage. */
export const checkAnswer = (body: unknown, fields: AnswerFields): unknown => {
  const isAnswer = isPlainObject(body) && Object.entries(fields).every(([name, check]) => check(body[name]));
  if (!isAnswer) throw new StorageUnavailable('The storage service answered with something that is no answer of its.');
  return body;
};
