import { ALIAS_PATTERN } from '../../../../contract/model-config.contract.js';

const LONGEST = 100;

/** A name in the form of an alias: what an alias may not have becomes a hyphen. */
export const toAlias = (name: string): string => {
  const cleaned = name
    .replaceAll(/[^A-Za-z0-9._:/-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, LONGEST);
  if (ALIAS_PATTERN.test(cleaned)) return cleaned;
  return cleaned === '' ? 'model' : `${cleaned}-model`;
};

/** Gives aliases away, each once. */
export class Aliases {
  private readonly taken = new Set<string>();

  /** This alias, or the next free one with a number behind it, from 2 on. */
  take(alias: string): string {
    for (let number = 1; ; number += 1) {
      const suffix = number === 1 ? '' : `-${number}`;
      const candidate = alias.slice(0, LONGEST - suffix.length) + suffix;
      if (this.taken.has(candidate)) continue;
      this.taken.add(candidate);
      return candidate;
    }
  }
}
