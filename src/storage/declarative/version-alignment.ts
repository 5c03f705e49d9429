import type { PromptVersionCreate } from '../../contract/prompt.contract.js';

/** A version of a document. */
export interface DocumentVersion {
  /** Its number in the document. */
  number: number;
  content: PromptVersionCreate;
  contentSha256: string;
}

interface StoredVersion {
  version: number;
  contentSha256: string;
}

interface Alignment {
  /** What has to be added, in this order. */
  toAdd: DocumentVersion[];
  /** By the number in the document, the number here, once that is done. */
  numberOf: Map<number, number>;
}

/** The numbers under which each text is stored, in order. */
const placesOf = (stored: readonly StoredVersion[]): Map<string, number[]> => {
  const places = new Map<string, number[]>();
  for (const { version, contentSha256 } of stored) {
    const known = places.get(contentSha256) ?? [];
    places.set(contentSha256, known);
    known.push(version);
  }
  return places;
};

/**
 * Finds the versions of a document among the stored ones, which can only be added to. Each is looked for behind the one
 * before it; what is not found there is added at the end. So the same texts get the same numbers in an empty hub, a
 * newer document adds what is new, and in the end the newest text is the document's last one: when something else was
 * saved since, it is added once more.
 */
export const alignVersions = (document: readonly DocumentVersion[], stored: readonly StoredVersion[]): Alignment => {
  const places = placesOf(stored);
  const numberOf = new Map<number, number>();
  const toAdd: DocumentVersion[] = [];
  let newest = stored.at(-1) ?? { version: 0, contentSha256: '' };
  const add = (version: DocumentVersion): number => {
    toAdd.push(version);
    newest = { version: newest.version + 1, contentSha256: version.contentSha256 };
    return newest.version;
  };
  let position = 0;
  let previous = '';
  for (const version of document) {
    const hash = version.contentSha256;
    // The same text twice in a row is one version: no text is added on top of itself.
    if (hash !== previous) {
      const found = places.get(hash)?.find((place) => place > position);
      position = found ?? add(version);
    }
    previous = hash;
    numberOf.set(version.number, position);
  }
  const last = document.at(-1);
  if (last && last.contentSha256 !== newest.contentSha256) add(last);
  return { toAdd, numberOf };
};
