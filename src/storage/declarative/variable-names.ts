import { createHash } from 'node:crypto';

const HASH_CHARACTERS = 16;

/** Of an alias like this the name can be read back: no two of them have the same. */
const PLAIN = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

const nameOf = (alias: string): string => {
  const name = alias
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  return /^[A-Z]/.test(name) ? name : `MODEL_${name}`;
};

const hashOf = (alias: string): string =>
  createHash('sha256').update(alias).digest('hex').slice(0, HASH_CHARACTERS).toUpperCase();

/**
 * How the variables of each model begin: `fast` is `FAST`, so its key is `FAST_API_KEY`. Where several aliases come to
 * one name (`a.b`, `a/b`), each has a hash of its own behind it, and only the plain one (`a-b`) goes without: whatever
 * is added later, a name once given changes at most once, and never comes to mean another model.
 */
export const variablePrefixes = (aliases: readonly string[]): Map<string, string> => {
  const counts = new Map<string, number>();
  for (const alias of aliases) counts.set(nameOf(alias), (counts.get(nameOf(alias)) ?? 0) + 1);
  return new Map(
    aliases.map((alias) => {
      const name = nameOf(alias);
      const isAlone = counts.get(name) === 1 || PLAIN.test(alias);
      return [alias, isAlone ? name : `${name}__${hashOf(alias)}`];
    }),
  );
};
