import { setImmediate as nextTurn } from 'node:timers/promises';

const AT_ONCE = 20;

/** The entries of a long list, with a turn for other requests after every few: awaiting a promise alone gives none. */
export async function* inTurns<Entry>(list: readonly Entry[]): AsyncGenerator<Entry> {
  for (const [index, entry] of list.entries()) {
    if (index > 0 && index % AT_ONCE === 0) await nextTurn();
    yield entry;
  }
}
