// Edits of a ring's text, `id:key` separated by commas. Keys are moved as they are written: nothing here decodes one.
const entriesOf = (text: string): string[] => text.split(',').map((entry) => entry.trim());
const idOf = (entry: string): string => entry.slice(0, entry.indexOf(':')).trim();

/** With another key at the end, where it only opens. */
export const withKeyLast = (text: string, entry: string): string => [...entriesOf(text), entry].join(',');

/** With this key in front, where it seals. */
export const withKeyFirst = (text: string, keyId: string): string => {
  const entries = entriesOf(text);
  const first = entries.filter((entry) => idOf(entry) === keyId);
  return [...first, ...entries.filter((entry) => idOf(entry) !== keyId)].join(',');
};

export const withoutKey = (text: string, keyId: string): string =>
  entriesOf(text)
    .filter((entry) => idOf(entry) !== keyId)
    .join(',');
