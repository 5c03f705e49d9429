/** Does the work for every entry, a few at once; the first failure is thrown, and no further work begun. */
export const inParallel = async <Entry>(
  entries: readonly Entry[],
  atOnce: number,
  work: (entry: Entry) => Promise<void>,
): Promise<void> => {
  const left = [...entries];
  const lane = async (): Promise<void> => {
    for (let entry = left.shift(); entry !== undefined; entry = left.shift()) {
      await work(entry).catch((error: unknown) => {
        left.length = 0;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, entries.length) }, lane));
};
