import { randomBytes } from 'node:crypto';

/** A body of `POST /configs`, valid as it is: give only what your story is about. */
export const aModelConfig = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  alias: `model-${randomBytes(4).toString('hex')}`,
  provider: 'openai_compatible',
  model_name: 'real-model',
  api_base: 'http://127.0.0.1:18080/v1',
  api_key: `key-${randomBytes(12).toString('hex')}`,
  ...fields,
});
