import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

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
