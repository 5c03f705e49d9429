import { isPlainObject } from '../../contract/fields.js';
import { EXTENSIONS } from '../calls/incoming-call.js';
import { editItems } from '../calls/wire/json-array-editor.js';
import { DEFAULT_SCAN_LIMITS, scanTopLevel } from '../calls/wire/json-scanner.js';
import { editObject, valueBytes, type ObjectChanges } from '../calls/wire/json-object-editor.js';

/** What a server takes otherwise, or not at all, in messages and tools. */
export interface MessageChanges {
  developerIsSystem: boolean;
  /** Fields of messages that are left out. */
  withoutFields: readonly string[];
  /** Whether what an entrance added to OpenAI's format is left out, everywhere. */
  withoutExtensions: boolean;
}

const OPEN_BRACE = 0x7b;
const SYSTEM = Buffer.from('"system"');
const NOTHING_MORE: ObjectChanges = new Map(EXTENSIONS.map((name) => [name, undefined]));

const scan = (item: Buffer): ReturnType<typeof scanTopLevel> => scanTopLevel(item, DEFAULT_SCAN_LIMITS);

const withoutExtensions = (item: Buffer): Buffer =>
  item[0] === OPEN_BRACE ? editObject(item, NOTHING_MORE, scan(item)) : item;

/** The list of tools, without what an entrance added. */
export const stripTools = (tools: Buffer): Buffer => editItems(tools, withoutExtensions);

const editMessage = (message: Buffer, how: MessageChanges): Buffer => {
  if (message[0] !== OPEN_BRACE) return message;
  const topLevel = scan(message);
  const changes = new Map<string, Buffer | undefined>(how.withoutFields.map((name) => [name, undefined]));
  const role = valueBytes(message, topLevel, 'role');
  if (how.developerIsSystem && role && JSON.parse(role.toString()) === 'developer') changes.set('role', SYSTEM);
  if (how.withoutExtensions) {
    for (const name of EXTENSIONS) changes.set(name, undefined);
    for (const name of ['content', 'tool_calls']) {
      const list = valueBytes(message, topLevel, name);
      const edited = list && editItems(list, withoutExtensions);
      if (edited !== list) changes.set(name, edited);
    }
  }
  return editObject(message, changes, topLevel);
};

/** The list of messages as the server takes it; the same buffer when there is nothing to change. */
export const editMessages = (messages: Buffer, how: MessageChanges): Buffer =>
  editItems(messages, (message) => editMessage(message, how));

const asObjects = (messages: unknown): Record<string, unknown>[] =>
  Array.isArray(messages) ? messages.filter(isPlainObject) : [];

/** Those of these fields that any message has. */
export const fieldsIn = (messages: unknown, names: readonly string[]): string[] =>
  names.length === 0 ? [] : names.filter((name) => asObjects(messages).some((message) => Object.hasOwn(message, name)));

export const hasDeveloper = (messages: unknown): boolean =>
  asObjects(messages).some(({ role }) => role === 'developer');
