import { isPlainObject } from '../../../contract/fields.js';
import { MOVABLE_LABEL_PATTERN, PROMPT_NAME_PATTERN } from '../../../contract/prompt-names.js';
import type { Entry, ReadDocument } from '../document.js';
import { readEntries } from './hub.js';
import { convertText, refersToPrompt } from './langfuse-text.js';
import { Report, Source } from './report.js';

type Fields = Record<string, unknown>;

/** One version as Langfuse gives it. */
interface Version {
  path: string;
  number: number;
  labels: string[];
  tags: string[];
  content: Fields;
}

/** Labels that nobody gives: ours is computed, too. */
const COMPUTED = 'latest';
const LONGEST_NAME = 100;
const LONGEST_DISPLAY_NAME = 120;
const LONGEST_MESSAGE = 500;
const SYSTEM_ROLES = new Set(['system', 'developer']);

/** Reads prompts as Langfuse's API lists them, each version an object: `[...]` or `{data: [...]}`. */
export const readLangfuse = (document: Fields): ReadDocument => {
  const report = new Report();
  const file = new Source(document, '', report);
  const entries = readEntries(file.take('data'), 'data');
  // What an API says of its pages.
  file.take('meta');
  for (const key of file.rest) file.say('unsupported', key, 'has no counterpart here');
  const prompts = groupByName(entries, report);
  const variables = new Map<string, string>();
  const others = { models: null, alert_rules: null };
  return { format: 'langfuse', sealing: null, ...others, prompts, variables, report: report.entries };
};

const groupByName = (entries: Entry[], report: Report): Entry[] => {
  const groups = new Map<string, Version[]>();
  for (const { path, fields } of entries) {
    const source = new Source(fields, path, report);
    const name = source.takeText('name');
    const version = name === undefined || name === '' ? null : readVersion(source);
    if (name === undefined || name === '') report.add('unsupported', source.path, 'is left out: name is missing');
    else if (version) groups.set(name, [...(groups.get(name) ?? []), version]);
  }
  const taken = new Set<string>();
  return [...groups].map(([name, versions]) => toEntry(name, versions, taken, report));
};

const readVersion = (source: Source): Version | null => {
  const refuse = (message: string): null => {
    source.report.add('unsupported', source.path, `is left out: ${message}`);
    return null;
  };
  const number = source.takeNumber('version', { min: 1, max: 2_147_483_647, whole: true }) ?? 1;
  const type = source.take('type');
  const text = textOf(source.take('prompt'));
  if (text === null) {
    return refuse(
      type === 'chat' || type === undefined
        ? 'it has messages that are no system messages, or placeholders'
        : 'prompt is neither a text nor a list of messages',
    );
  }
  if (text === '') return refuse('it is empty');
  if (refersToPrompt(text)) return refuse('it takes in another prompt, which has no counterpart here');
  const { text: prompt_content, variables, remarks } = convertText(text);
  for (const remark of remarks) source.say('adapted', 'prompt', remark);
  const message = (source.takeText('commitMessage') ?? '').slice(0, LONGEST_MESSAGE);
  const declared = variables.map((name) => ({ name, type: 'text' }));
  const version = {
    path: source.path,
    number,
    labels: readTexts(source, 'labels').filter((label) => label !== COMPUTED),
    tags: readTexts(source, 'tags'),
    content: { prompt_content, variables: declared, message },
  };
  reportRest(source);
  return version;
};

/** A text, or the system messages of a chat one after the other; null: there is more in it than that. */
const textOf = (prompt: unknown): string | null => {
  if (typeof prompt === 'string') return prompt;
  if (!Array.isArray(prompt)) return null;
  const messages = (prompt as unknown[]).map((message) => (isPlainObject(message) ? message : {}));
  const isSystem = messages.every(
    ({ role, content, type }) =>
      SYSTEM_ROLES.has(role as string) && typeof content === 'string' && type !== 'placeholder',
  );
  return isSystem ? messages.map(({ content }) => content as string).join('\n\n') : null;
};

const readTexts = (source: Source, key: string): string[] => {
  const list = source.take(key);
  const texts = Array.isArray(list) ? (list as unknown[]).filter((entry) => typeof entry === 'string') : [];
  if (list !== undefined && texts.length !== (list as unknown[]).length)
    source.say('unsupported', key, 'is not a list of texts');
  return texts;
};

const NOTES = new Set([
  'id',
  'projectId',
  'createdAt',
  'updatedAt',
  'createdBy',
  'isActive',
  'resolutionGraph',
  'lastUpdatedAt',
]);

const reportRest = (source: Source): void => {
  for (const key of source.rest) {
    const value = source.take(key);
    if (NOTES.has(key)) source.say('ignored', key, 'says nothing about the text');
    else if (!isPlainObject(value) || Object.keys(value).length > 0)
      source.say('unsupported', key, 'has no counterpart here');
  }
};

const toEntry = (name: string, found: Version[], taken: Set<string>, report: Report): Entry => {
  const versions = found.toSorted((one, other) => one.number - other.number);
  const path = versions[0]?.path ?? '';
  const ownName = toName(name, taken);
  if (ownName !== name)
    report.add('adapted', `${path}.name`, `is ${ownName} here: a name has another form, or is taken`);
  const labels: Record<string, number> = {};
  for (const [index, version] of versions.entries()) {
    if (version.number !== index + 1)
      report.add(
        'adapted',
        `${version.path}.version`,
        `is version ${index + 1} here: numbers begin at 1, without gaps`,
      );
    for (const label of version.labels) labels[toLabel(label, version, report)] = index + 1;
  }
  return {
    path,
    fields: {
      name: ownName,
      display_name: name.slice(0, LONGEST_DISPLAY_NAME),
      tags: toTags(versions.at(-1), report),
      labels,
      versions: versions.map(({ content }) => content),
    },
  };
};

const toName = (name: string, taken: Set<string>): string => {
  const cleaned = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? '' : `-${number}`;
    const base = (cleaned || 'prompt').slice(0, LONGEST_NAME - suffix.length).replace(/[^a-z0-9]+$/, '');
    const candidate = base + suffix;
    if (taken.has(candidate) || !PROMPT_NAME_PATTERN.test(candidate)) continue;
    taken.add(candidate);
    return candidate;
  }
};

const toLabel = (label: string, { path }: Version, report: Report): string => {
  if (MOVABLE_LABEL_PATTERN.test(label)) return label;
  const cleaned = label
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 36);
  const own = MOVABLE_LABEL_PATTERN.test(cleaned) ? cleaned : 'label';
  report.add('adapted', `${path}.labels`, `${label} is ${own} here: a label has another form`);
  return own;
};

const MOST_TAGS = 20;

/** Langfuse's tags are words, ours have a name and a value: the word is the name. */
const toTags = (version: Version | undefined, report: Report): Record<string, string> => {
  const tags: Record<string, string> = {};
  for (const tag of version?.tags ?? []) {
    const [name = '', value = ''] = tag.split(/:(.*)/s);
    const isGood = /^[^:\s][^:]{0,62}$/.test(name) && value.length <= 200 && Object.keys(tags).length < MOST_TAGS;
    if (isGood) tags[name] = value;
    else
      report.add(
        'unsupported',
        `${version?.path}.tags`,
        `has more than ${MOST_TAGS} tags, or one that has another form`,
      );
  }
  return tags;
};
