import { isPlainObject } from '../../contract/fields.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { EXTENSIONS } from '../calls/incoming-call.js';
import { editObject, valueBytes } from '../calls/wire/json-object-editor.js';
import { editMessages, fieldsIn, hasDeveloper, stripTools } from './openai-messages.js';
import type { ChatRequest, EmbeddingRequest, ProviderRequest } from './provider.js';
import type { Quirks } from './quirks-of.js';

/** What is sent, and what of the caller's request is not. */
export interface OutgoingBody {
  body: Buffer;
  ignored: string[];
}

type Changes = Map<string, Buffer | undefined>;

/** Two names of one parameter: who sets the one has set the other. */
const SAME: Partial<Record<string, string>> = {
  max_tokens: 'max_completion_tokens',
  max_completion_tokens: 'max_tokens',
};

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const isSent = (parameters: ProviderRequest['parameters'], name: string): boolean =>
  Object.hasOwn(parameters, name) && parameters[name] !== null && parameters[name] !== undefined;

/** The caller's value goes under the server's name; where he set that as well, that counts. */
const rename = (changes: Changes, { body, topLevel, parameters }: ProviderRequest, { renamed }: Quirks): string[] => {
  const ignored: string[] = [];
  for (const [name, theirs] of renamed) {
    const value = valueBytes(body, topLevel, name);
    if (value === undefined) continue;
    changes.set(name, undefined);
    if (!isSent(parameters, theirs)) changes.set(theirs, value);
    else if (isSent(parameters, name)) ignored.push(name);
  }
  return ignored;
};

const drop = (changes: Changes, { parameters }: ProviderRequest, { dropped }: Quirks): string[] => {
  const present = dropped.filter((name) => Object.hasOwn(parameters, name));
  for (const name of present) changes.set(name, undefined);
  return present.filter((name) => isSent(parameters, name));
};

const addDefaults = (
  changes: Changes,
  parameters: ProviderRequest['parameters'],
  defaults: Readonly<Record<string, unknown>>,
): void => {
  const isSet = (name: string): boolean => Object.hasOwn(parameters, name) || changes.get(name) !== undefined;
  const own = Object.entries(defaults).filter(([name, value]) => {
    const other = SAME[name];
    return value !== null && !isSet(name) && !(other !== undefined && isSet(other));
  });
  for (const [name, value] of own) changes.set(name, json(value));
};

/**
 * A stream tells its usage only when asked. Left alone where the config decides about `stream_options` itself, for the
 * servers that do not know it.
 */
const askForUsage = (
  changes: Changes,
  model: SnapshotModel,
  parameters: ChatRequest['parameters'],
  { noStreamOptions }: Quirks,
): void => {
  if (noStreamOptions) return void changes.set('stream_options', undefined);
  if (Object.hasOwn(model.custom_parameters ?? {}, 'stream_options')) return;
  const options = parameters['stream_options'];
  changes.set('stream_options', json({ ...(isPlainObject(options) ? options : {}), include_usage: true }));
};

/** An entrance's own JSON, so a name that is in it stands there as it is. */
const hasExtensions = ({ isTranslated, body }: ChatRequest): boolean =>
  isTranslated && EXTENSIONS.some((name) => body.includes(`"${name}"`));

/** Messages and tools in the server's form; where nothing has to change, their bytes are not read again. */
const adaptLists = (changes: Changes, request: ChatRequest, quirks: Quirks): string[] => {
  const { body, topLevel, parameters } = request;
  const withoutFields = fieldsIn(parameters['messages'], quirks.droppedFromMessages);
  const withoutExtensions = !quirks.keepsExtensions && hasExtensions(request);
  const developerIsSystem = quirks.developerIsSystem && hasDeveloper(parameters['messages']);
  const messages = valueBytes(body, topLevel, 'messages');
  if (messages && (withoutFields.length > 0 || withoutExtensions || developerIsSystem)) {
    const edited = editMessages(messages, { developerIsSystem, withoutFields, withoutExtensions });
    if (edited !== messages) changes.set('messages', edited);
  }
  const tools = withoutExtensions ? valueBytes(body, topLevel, 'tools') : undefined;
  if (tools) changes.set('tools', stripTools(tools));
  return withoutFields.map((name) => `messages.${name}`);
};

/** The provider's body: the alias replaced, defaults added, quirks minded, every other byte as the caller sent it. */
export const toChatBody = (request: ChatRequest, quirks: Quirks): OutgoingBody => {
  const { model, parameters, stream } = request;
  const changes: Changes = new Map([['model', json(model.model_name)]]);
  const ignored = [...rename(changes, request, quirks), ...drop(changes, request, quirks)];
  addDefaults(changes, parameters, {
    temperature: model.default_temperature,
    top_p: model.default_top_p,
    ...model.custom_parameters,
  });
  ignored.push(...adaptLists(changes, request, quirks));
  if (stream) {
    if (parameters['stream'] !== true) changes.set('stream', json(true));
    askForUsage(changes, model, parameters, quirks);
  }
  return { body: editObject(request.body, changes, request.topLevel), ignored };
};

/** The same for vectors, which know neither temperature nor messages. */
export const toEmbeddingBody = (request: EmbeddingRequest): OutgoingBody => {
  const { model, parameters, body, topLevel } = request;
  const changes: Changes = new Map([['model', json(model.model_name)]]);
  addDefaults(changes, parameters, model.custom_parameters ?? {});
  return { body: editObject(body, changes, topLevel), ignored: [] };
};
