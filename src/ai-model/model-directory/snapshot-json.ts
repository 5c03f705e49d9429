import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, createGzip, gunzip } from 'node:zlib';
import type { Snapshot } from '../../contract/snapshot.contract.js';
import { checkSnapshot } from '../storage-client/check-snapshot.js';

/** So much text is written in one go: about a millisecond. */
const SLICE_CHARACTERS = 128 * 1024;
/** As much as the storage client takes. */
const MAX_JSON_BYTES = 256 * 1024 * 1024;

async function* slicesOf(entries: readonly object[]): AsyncGenerator<string> {
  let slice = '';
  for (const [index, entry] of entries.entries()) {
    slice += (index === 0 ? '' : ',') + JSON.stringify(entry);
    if (slice.length < SLICE_CHARACTERS) continue;
    yield slice;
    slice = '';
    await nextTurn();
  }
  yield slice;
}

async function* jsonOf({ revision, models, tokens, prompts, budgets }: Snapshot): AsyncGenerator<string> {
  yield `{"revision":${revision},"models":[`;
  yield* slicesOf(models);
  yield '],"tokens":[';
  yield* slicesOf(tokens);
  yield '],"prompts":[';
  yield* slicesOf(prompts);
  yield '],"budgets":[';
  yield* slicesOf(budgets);
  yield ']}';
}

/** Its JSON, compressed. Calls go on meanwhile: it is written in slices, and compressed in a thread. */
export const packSnapshot = async (snapshot: Snapshot): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  await pipeline(
    jsonOf(snapshot),
    createGzip({ level: constants.Z_BEST_SPEED }),
    async (zip: AsyncIterable<Buffer>): Promise<void> => {
      for await (const piece of zip) pieces.push(piece);
    },
  );
  return Buffer.concat(pieces);
};

/** Throws for everything that is no whole snapshot. */
export const unpackSnapshot = async (packed: Buffer): Promise<Snapshot> => {
  const json = await promisify(gunzip)(packed, { maxOutputLength: MAX_JSON_BYTES });
  return checkSnapshot(JSON.parse(json.toString('utf8')));
};
