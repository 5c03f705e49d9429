import type { Member, TopLevel } from './json-scanner.js';
import { DEFAULT_SCAN_LIMITS, scanTopLevel, skipBlank } from './json-scanner.js';

export type { JsonShapeReason, Member, ScanLimits, TopLevel } from './json-scanner.js';
export { JsonShapeError, scanTopLevel } from './json-scanner.js';

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = Buffer.from(',');

/** Put in front of the list that is the value; where the value is no list it stays as it is. */
export class FirstItem {
  /** @param json the item, as JSON text */
  constructor(readonly json: Buffer) {}
}

/** New value per key, as JSON text; `undefined` removes the key. */
export type ObjectChanges = ReadonlyMap<string, Buffer | FirstItem | undefined>;

/**
 * Changes members of the top level of a JSON object and leaves every other byte as it was: numbers beyond 2^53, the
 * order of keys, blanks and parameters unknown to us reach the provider as the caller wrote them.
 * A key that occurs several times is replaced or removed everywhere, since servers differ in which one they believe.
 * New keys go to the end. Returns `text` itself when nothing changes.
 * @param topLevel the scan of this very text, when the caller already has it
 */
export const editObject = (
  text: Buffer,
  changes: ObjectChanges,
  topLevel: TopLevel = scanTopLevel(text, DEFAULT_SCAN_LIMITS),
): Buffer => {
  const pieces = new Pieces(text);
  const kept = replaceAndRemove(pieces, changes, topLevel, text);
  appendMissing(pieces, changes, topLevel, kept);
  return pieces.join();
};

/** The bytes of a key's value; of several the last, which is the one JSON.parse takes. */
export const valueBytes = (text: Buffer, topLevel: TopLevel, key: string): Buffer | undefined => {
  const member = topLevel.members.findLast((candidate) => candidate.key === key);
  return member && text.subarray(member.valueStart, member.valueEnd);
};

/** Collects the result: untouched stretches of the source and new bytes between them. */
class Pieces {
  private readonly pieces: Buffer[] = [];
  private copied = 0;

  constructor(private readonly source: Buffer) {}

  /** Puts `bytes` in the place of what stands from `start` to `end`; calls come in the order of the text. */
  replace(start: number, end: number, bytes: Buffer | null): void {
    if (start > this.copied) this.pieces.push(this.source.subarray(this.copied, start));
    if (bytes) this.pieces.push(bytes);
    this.copied = end;
  }

  join(): Buffer {
    if (this.copied === 0) return this.source;
    return Buffer.concat([...this.pieces, this.source.subarray(this.copied)]);
  }
}

/** Returns how many members are left. */
const replaceAndRemove = (pieces: Pieces, changes: ObjectChanges, { members }: TopLevel, text: Buffer): number => {
  let kept = 0;
  members.forEach((member, index) => {
    const value = changes.get(member.key);
    if (value === undefined && changes.has(member.key)) {
      const [start, end] = rangeToRemove(members, index, kept > 0);
      pieces.replace(start, end, null);
      return;
    }
    if (value instanceof FirstItem) putFirst(pieces, member, value, text);
    else if (value) pieces.replace(member.valueStart, member.valueEnd, value);
    kept += 1;
  });
  return kept;
};

const putFirst = (pieces: Pieces, { valueStart }: Member, { json }: FirstItem, text: Buffer): void => {
  if (text[valueStart] !== OPEN_BRACKET) return;
  const inside = valueStart + 1;
  const isEmpty = text[skipBlank(text, inside)] === CLOSE_BRACKET;
  pieces.replace(inside, inside, isEmpty ? json : Buffer.concat([json, COMMA]));
};

/** A member goes with the comma before it; while no member before it is left, with the comma after it. */
const rangeToRemove = (members: readonly Member[], index: number, hasKeptBefore: boolean): [number, number] => {
  const { keyStart, valueEnd } = members[index]!;
  if (hasKeptBefore) return [members[index - 1]!.valueEnd, valueEnd];
  return [keyStart, members[index + 1]?.keyStart ?? valueEnd];
};

const appendMissing = (pieces: Pieces, changes: ObjectChanges, { open, members }: TopLevel, kept: number): void => {
  const present = new Set(members.map((member) => member.key));
  const end = members.at(-1)?.valueEnd ?? open + 1;
  let comma = kept > 0 ? ',' : '';
  for (const [key, value] of changes) {
    if (value === undefined || present.has(key)) continue;
    const json = value instanceof FirstItem ? Buffer.from(`[${value.json.toString()}]`) : value;
    pieces.replace(end, end, Buffer.concat([Buffer.from(`${comma}${JSON.stringify(key)}:`), json]));
    comma = ',';
  }
};
