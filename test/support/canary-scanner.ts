import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A secret that was never seen before the test, so that every place where it turns up is a leak. */
export interface Canary {
  name: string;
  text: string;
  /** Parts of it that may be shown, such as a token's prefix. */
  allowed?: string[];
}

export interface Finding {
  canary: string;
  form: string;
  where: string;
  /** What was found, in its surroundings. */
  excerpt: string;
}

interface Needle {
  canary: string;
  form: string;
  bytes: Buffer;
}

const RUN = 8;
const EXCERPT = 40;

const reversed = (text: string): string => [...text].toReversed().join('');

/** Each character percent-encoded, and only those that must be: which of the two an encoder writes is its own affair. */
const percentEncoded = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/**
 * Base64 of a text that stands somewhere inside a longer one: its characters depend on the place modulo 3, and those at
 * both ends on the neighbours, so they are left out.
 */
const base64Inside = (text: string): string[] =>
  [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
      .toString('base64')
      .replace(/=+$/, '');
    return encoded.slice(offset === 0 ? 0 : offset + 1, -1);
  });

/** Every piece of `length` characters. */
const runsOf = (text: string, length: number): string[] =>
  Array.from({ length: Math.max(0, text.length - length + 1) }, (_, start) => text.slice(start, start + length));

const toUrl = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');

/** Each form's text, and how long a piece of it has to be to give eight characters of the secret away. */
const formsOf = (text: string): [form: string, text: string, run: number][] => {
  const hex = Buffer.from(text).toString('hex');
  const json = JSON.stringify(text).slice(1, -1);
  return [
    ['raw', text, RUN],
    ['reversed', reversed(text), RUN],
    ...(json === text ? [] : [['JSON-escaped', json, json.length] as [string, string, number]]),
    ['URL-encoded', encodeURIComponent(text), encodeURIComponent(text).length],
    ['URL-encoded throughout', percentEncoded(text), RUN * 3],
    ['URL-encoded throughout, upper case', percentEncoded(text).toUpperCase(), RUN * 3],
    ['hex', hex, RUN * 2],
    ['HEX', hex.toUpperCase(), RUN * 2],
    ...base64Inside(text).flatMap((piece, offset): [string, string, number][] => [
      [`base64 at ${offset}`, piece, RUN + 4],
      [`base64url at ${offset}`, toUrl(piece), RUN + 4],
    ]),
    ['base64 reversed', reversed(Buffer.from(text).toString('base64').replace(/=+$/, '')), RUN + 4],
  ];
};

const needlesOf = ({ name, text, allowed = [] }: Canary): Needle[] =>
  formsOf(text).flatMap(([form, whole, run]) => {
    const isAllowed = (piece: string): boolean => form === 'raw' && allowed.some((shown) => shown.includes(piece));
    return runsOf(whole, Math.min(run, whole.length))
      .filter((piece) => !isAllowed(piece))
      .map((piece) => ({ canary: name, form, bytes: Buffer.from(piece) }));
  });

const prefixAt = (bytes: Buffer, at: number): number =>
  ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);

/** Finds secrets in whatever encoding a program may have put them; one pass, whatever their number. */
export class CanaryScanner {
  /** One bit for every three bytes a needle begins with: rules nearly every place out at once. */
  private readonly isBeginning = new Uint8Array(1 << 24);
  private readonly byBeginning = new Map<number, Needle[]>();

  constructor(canaries: readonly Canary[]) {
    for (const needle of canaries.flatMap(needlesOf)) {
      const prefix = prefixAt(needle.bytes, 0);
      this.isBeginning[prefix] = 1;
      const known = this.byBeginning.get(prefix) ?? [];
      if (!known.some((other) => other.bytes.equals(needle.bytes) && other.canary === needle.canary))
        known.push(needle);
      this.byBeginning.set(prefix, known);
    }
  }

  /** The first place of each secret and form. */
  scan(where: string, content: string | Buffer): Finding[] {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const findings = new Map<string, Finding>();
    let prefix = prefixAt(bytes, 0) >> 8;
    for (let at = 2; at < bytes.length; at += 1) {
      prefix = ((prefix << 8) | (bytes[at] as number)) & 0xffffff;
      if (this.isBeginning[prefix] === 1) this.verify(bytes, at - 2, prefix, where, findings);
    }
    return [...findings.values()];
  }

  /** Every file below the directory, links not followed; PostgreSQL's own may vanish meanwhile. */
  scanDirectory(directory: string): Finding[] {
    return filesBelow(directory).flatMap((path) => this.scan(path, readFileSync(path)));
  }

  private verify(bytes: Buffer, at: number, prefix: number, where: string, findings: Map<string, Finding>): void {
    for (const { canary, form, bytes: needle } of this.byBeginning.get(prefix) ?? []) {
      const key = `${canary} ${form}`;
      if (findings.has(key) || !bytes.subarray(at, at + needle.length).equals(needle)) continue;
      const excerpt = bytes.subarray(Math.max(0, at - EXCERPT), at + needle.length + EXCERPT).toString('latin1');
      findings.set(key, { canary, form, where, excerpt });
    }
  }
}

export const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
