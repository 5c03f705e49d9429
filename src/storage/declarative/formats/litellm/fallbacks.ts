import { isPlainObject } from '../../../../contract/fields.js';
import type { Source } from '../report.js';

/** One deployment of a group. */
export interface Member {
  path: string;
  fields: Record<string, unknown>;
  /** Lower is tried first. */
  order: number;
  alias: string;
}

/** The deployments of one `model_name`, in the order they are tried. */
export interface Group {
  members: Member[];
}

const MOST_FALLBACKS = 20;

/** Puts behind each group's first model its own other deployments, then the groups that the settings name. */
export const addFallbacks = (groups: Map<string, Group>, settings: Source, router: Source): void => {
  const behind = new Map([...groups].map(([name, group]) => [name, group.members.slice(1).map(({ alias }) => alias)]));
  for (const source of [settings, router]) {
    for (const { from, to, place } of readFallbacks(source)) {
      const list = behind.get(from);
      const target = groups.get(to);
      if (!list || !target)
        source.say('unsupported', place, `names ${list ? to : from}, which is not among the models`);
      else if (from !== to) list.push(...target.members.map(({ alias }) => alias));
    }
  }
  for (const [name, list] of addDefaults(groups, behind, settings)) {
    const first = groups.get(name)?.members[0];
    const aliases = [...new Set(list)].filter((alias) => alias !== first?.alias);
    if (!first || aliases.length === 0) continue;
    if (aliases.length > MOST_FALLBACKS) {
      const message = `has ${aliases.length} fallbacks; the first ${MOST_FALLBACKS} are taken`;
      settings.report.add('unsupported', first.path, message);
    }
    first.fields['fallback_aliases'] = aliases.slice(0, MOST_FALLBACKS);
  }
};

const addDefaults = (
  groups: Map<string, Group>,
  behind: Map<string, string[]>,
  settings: Source,
): Map<string, string[]> => {
  const names = settings.take('default_fallbacks');
  if (names === undefined) return behind;
  for (const name of Array.isArray(names) ? (names as unknown[]) : [names]) {
    const target = typeof name === 'string' ? groups.get(name) : undefined;
    if (!target) settings.say('unsupported', 'default_fallbacks', 'names something that is not among the models');
    for (const list of behind.values()) list.push(...(target?.members ?? []).map(({ alias }) => alias));
  }
  return behind;
};

interface Fallback {
  from: string;
  to: string;
  place: string;
}

/** `fallbacks: [{"a": ["b", "c"]}]`, one by one. */
const readFallbacks = (source: Source): Fallback[] => {
  const list = source.take('fallbacks');
  if (list === undefined) return [];
  const isList = Array.isArray(list) && list.every(isPlainObject);
  if (!isList) source.say('unsupported', 'fallbacks', 'is not a list of {model: [models]}');
  return (isList ? list : []).flatMap((entry, index) =>
    Object.entries(entry).flatMap(([from, targets]) =>
      (Array.isArray(targets) ? (targets as unknown[]) : [targets]).flatMap((to) => {
        const place = `fallbacks[${index}].${from}`;
        if (typeof to === 'string') return { from, to, place };
        source.say('unsupported', place, 'has an entry that is not the name of a model');
        return [];
      }),
    ),
  );
};
