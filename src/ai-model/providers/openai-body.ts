import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { isPlainObject } from '../../contract/fields.js';
import { editObject } from '../calls/wire/json-object-editor.js';
import type { ChatRequest } from './provider.js';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const addDefaults = (
  changes: Map<string, Buffer>,
  model: SnapshotModel,
  parameters: ChatRequest['parameters'],
): void => {
  const defaults = { temperature: model.default_temperature, top_p: model.default_top_p, ...model.custom_parameters };
  for (const [name, value] of Object.entries(defaults)) {
    if (value !== null && !Object.hasOwn(parameters, name)) changes.set(name, json(value));
  }
};

/**
 * A stream tells its usage only when asked. Left alone where the config decides about `stream_options` itself, for the
 * servers that do not know it.
 */
const askForUsage = (
  changes: Map<string, Buffer>,
  model: SnapshotModel,
  parameters: ChatRequest['parameters'],
): void => {
  if (Object.hasOwn(model.custom_parameters ?? {}, 'stream_options')) return;
  const options = parameters['stream_options'];
  changes.set('stream_options', json({ ...(isPlainObject(options) ? options : {}), include_usage: true }));
};

/** The provider's body: the alias replaced, defaults added, every other byte as the caller sent it. */
export const toOpenAiBody = ({ model, body, topLevel, parameters, stream }: ChatRequest): Buffer => {
  const changes = new Map<string, Buffer>([['model', json(model.model_name)]]);
  addDefaults(changes, model, parameters);
  if (stream) {
    if (parameters['stream'] !== true) changes.set('stream', json(true));
    askForUsage(changes, model, parameters);
  }
  return editObject(body, changes, topLevel);
};
