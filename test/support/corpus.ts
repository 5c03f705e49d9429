import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { RawRequest } from './raw-request.js';

/** A text, or one so many times; `$i` in it is the number of the time. */
type Piece = string | [text: string, times: number];

/** A request that was, or could have been, too much; kept for ever. */
export interface CorpusEntry {
  name: string;
  method: string;
  /** `$alias` stands for a model that can be called. */
  path: string;
  headers?: Record<string, string>;
  /** In JSON unless `type` says otherwise. */
  body?: Piece[];
  /** Bytes that are no text. */
  base64?: string;
  type?: string;
  encoding?: 'gzip';
  /** What the provider of the model answers with; a good answer unless it is there. */
  provider?: Piece[];
  providerEncoding?: 'gzip';
  /** Those that are right; without it every status below 500 is. */
  status?: number[];
}

const DIRECTORY = fileURLToPath(new URL('../corpus/', import.meta.url));

/** Every file of the corpus, with what is in it. */
export const readCorpus = (): { file: string; entries: CorpusEntry[] }[] =>
  readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      file,
      entries: (JSON.parse(readFileSync(DIRECTORY + file, 'utf8')) as { entries: CorpusEntry[] }).entries,
    }));

const writePiece = (piece: Piece): string => {
  if (typeof piece === 'string') return piece;
  const [text, times] = piece;
  if (!text.includes('$i')) return text.repeat(times);
  return Array.from({ length: times }, (_, index) => text.replaceAll('$i', String(index))).join('');
};

const compressed = new Map<string, Buffer>();

/** The bytes that the pieces say, compressed if they are to be: the same bomb only once, since it is dear to make, too. */
export const bytesOf = (pieces: Piece[], alias: string, encoding?: 'gzip'): Buffer => {
  const toBytes = (): Buffer => Buffer.from(pieces.map(writePiece).join('').replaceAll('$alias', alias));
  if (encoding === undefined) return toBytes();
  const key = JSON.stringify(pieces);
  const known = compressed.get(key) ?? gzipSync(toBytes());
  compressed.set(key, known);
  return known;
};

/**
 * Writes what failed to a file of the corpus, without the token, to be committed. Its ids are of a hub that is gone: what
 * depends on them has to be written anew by hand.
 */
export const keepInCorpus = (name: string, failures: readonly { problem: string; raw: RawRequest }[]): void => {
  const entries: CorpusEntry[] = failures.map(({ problem, raw: { method, path, headers = {}, body } }) => {
    const { authorization: _token, 'content-type': type, ...others } = headers;
    return {
      name: problem.slice(0, 200),
      method,
      path,
      headers: others,
      ...(type !== undefined && { type }),
      ...(body !== undefined && { base64: Buffer.from(body).toString('base64') }),
    };
  });
  const about = 'Found by generated requests.';
  writeFileSync(`${DIRECTORY}${name}.json`, `${JSON.stringify({ about, entries }, null, 2)}\n`);
};
