import { isPlainObject } from '../../../../contract/fields.js';
import type { Entry, ReadDocument } from '../../document.js';
import { readEntries } from '../hub.js';
import { Report, Source } from '../report.js';
import { Aliases, toAlias } from './aliases.js';
import { type Defaults, readDeployment } from './deployment.js';
import { addFallbacks, type Group } from './fallbacks.js';
import { reportRest } from './remarks.js';

type Fields = Record<string, unknown>;

const MOST_RETRIES = 10;
const LONGEST_TIMEOUT = 3600;

/**
 * Reads LiteLLM's `config.yaml`. Of deployments with one `model_name`, its load-balancing group, the first becomes the
 * alias and the others stand behind it in `fallback_aliases`. What has no counterpart is in the report, key by key.
 */
export const readLiteLlm = (document: Fields): ReadDocument => {
  const report = new Report();
  const file = new Source(document, '', report);
  const entries = readEntries(file.take('model_list'), 'model_list');
  const settings = file.takeObject('litellm_settings');
  const router = file.takeObject('router_settings');
  const credentials = readCredentials(file);
  const groups = readGroups(entries, credentials, readDefaults(settings, router), report);
  const models = nameModels(groups, report);
  addFallbacks(groups, settings, router);
  const variables = readVariables(file, models);
  reportRest(file.takeObject('general_settings'), 'general_settings');
  reportRest(settings, 'litellm_settings');
  reportRest(router, 'router_settings');
  for (const key of file.rest) file.say('unsupported', key, 'has no counterpart here');
  const others = { prompts: null, alert_rules: null };
  return { format: 'litellm', sealing: null, models, ...others, variables, report: report.entries };
};

const readDefaults = (settings: Source, router: Source): Defaults => {
  const retries = { min: 0, max: MOST_RETRIES, whole: true };
  const seconds = { min: 0.001, max: LONGEST_TIMEOUT };
  const [general, routed] = [settings.takeNumber('num_retries', retries), router.takeNumber('num_retries', retries)];
  const [timeout, routedTimeout] = [
    settings.takeNumber('request_timeout', seconds),
    router.takeNumber('timeout', seconds),
  ];
  const request_timeout = routedTimeout ?? timeout;
  return {
    max_retries: routed ?? general,
    request_timeout: request_timeout === undefined ? undefined : Math.ceil(request_timeout),
  };
};

const readCredentials = (file: Source): Map<string, Fields> => {
  const list = file.take('credential_list');
  const credentials = new Map<string, Fields>();
  if (list === undefined) return credentials;
  for (const { path, fields } of readEntries(list, 'credential_list')) {
    const source = new Source(fields, path, file.report);
    const name = source.takeText('credential_name');
    const values = source.take('credential_values');
    source.take('credential_info');
    if (name !== undefined && isPlainObject(values)) credentials.set(name, values);
    else file.report.add('unsupported', path, 'has no credential_name or no credential_values');
    for (const key of source.rest) source.say('unsupported', key, 'has no counterpart here');
  }
  return credentials;
};

const readGroups = (
  entries: Entry[],
  credentials: Map<string, Fields>,
  defaults: Defaults,
  report: Report,
): Map<string, Group> => {
  const groups = new Map<string, Group>();
  for (const { path, fields } of entries) {
    const source = new Source(fields, path, report);
    const name = source.takeText('model_name');
    if (name === undefined || name === '') report.add('unsupported', path, 'is left out: model_name is missing');
    else if (name.includes('*')) {
      report.add('unsupported', path, 'is left out: wildcards have no counterpart here; name each model');
    } else {
      const deployment = readDeployment(source, credentials, defaults);
      if (!deployment) continue;
      const group = groups.get(name) ?? { members: [] };
      groups.set(name, group);
      group.members.push({ path, ...deployment, alias: '' });
    }
  }
  for (const group of groups.values()) group.members.sort((one, other) => one.order - other.order);
  return groups;
};

/** Gives every deployment its alias. First the groups, so that no second deployment takes the name of another group. */
const nameModels = (groups: Map<string, Group>, report: Report): Entry[] => {
  const aliases = new Aliases();
  for (const [name, { members }] of groups) {
    const [first] = members;
    if (!first) continue;
    first.alias = aliases.take(toAlias(name));
    if (first.alias !== name) {
      report.add(
        'adapted',
        `${first.path}.model_name`,
        `is ${first.alias} here: an alias has another form, or is taken`,
      );
    }
  }
  for (const { members } of groups.values()) {
    const [first, ...others] = members;
    for (const other of others) {
      other.alias = aliases.take(`${first?.alias}`);
      const message = `is ${other.alias} here, a fallback of ${first?.alias}: the deployments of a group are tried in order`;
      report.add('adapted', `${other.path}.model_name`, message);
    }
  }
  return [...groups.values()].flatMap(({ members }) =>
    members.map((member) => {
      member.fields['alias'] = member.alias;
      return { path: member.path, fields: member.fields };
    }),
  );
};

/** Variables that the file sets itself; what refers to them finds them. */
const readVariables = (file: Source, users: Entry[]): Map<string, string> => {
  const source = file.takeObject('environment_variables');
  const text = JSON.stringify(users);
  const variables = new Map<string, string>();
  for (const name of source.rest) {
    const value = source.take(name);
    const isUsed = text.includes(`{"from_env":${JSON.stringify(name)}}`);
    if (isUsed && (typeof value === 'string' || typeof value === 'number')) variables.set(name, String(value));
    else source.say('ignored', name, 'is used by no model');
  }
  return variables;
};
