import { isDeepStrictEqual } from 'node:util';

/**
 * Entries by id and by a name that belongs to one of them alone. Never changed: what becomes different is another table.
 */
export class EntryTable<Entry extends { readonly id: string }> {
  private constructor(
    private readonly nameOf: (entry: Entry) => string,
    private readonly byId: ReadonlyMap<string, Entry>,
    private readonly byName: ReadonlyMap<string, Entry>,
  ) {}

  static of<Entry extends { readonly id: string }>(
    nameOf: (entry: Entry) => string,
    entries: readonly Entry[],
  ): EntryTable<Entry> {
    return new EntryTable(
      nameOf,
      new Map(entries.map((entry) => [entry.id, entry])),
      new Map(entries.map((entry) => [nameOf(entry), entry])),
    );
  }

  get size(): number {
    return this.byId.size;
  }

  get(name: string): Entry | undefined {
    return this.byName.get(name);
  }

  getById(id: string): Entry | undefined {
    return this.byId.get(id);
  }

  all(): Entry[] {
    return [...this.byId.values()];
  }

  /**
   * A table with these in the place of those of the same id, and without the removed ones. What is equal to what was
   * there stays the same object, and so does a table in which all of it was. null: it would not have `total` entries, or
   * two of one name.
   */
  with(entries: readonly Entry[], removedIds: readonly string[], total: number): EntryTable<Entry> | null {
    const changed = entries.filter((entry) => !isDeepStrictEqual(entry, this.byId.get(entry.id)));
    const removed = removedIds.filter((id) => this.byId.has(id));
    const next = changed.length + removed.length === 0 ? this : this.replaced(changed, removed);
    return next.byId.size === total && next.byName.size === total ? next : null;
  }

  private replaced(changed: readonly Entry[], removedIds: readonly string[]): EntryTable<Entry> {
    const byId = new Map(this.byId);
    const byName = new Map(this.byName);
    // All old names first: one entry may get the name that another one gives up.
    for (const id of [...removedIds, ...changed.map((entry) => entry.id)]) {
      const old = this.byId.get(id);
      if (old) byName.delete(this.nameOf(old));
    }
    for (const id of removedIds) byId.delete(id);
    for (const entry of changed) {
      byId.set(entry.id, entry);
      byName.set(this.nameOf(entry), entry);
    }
    return new EntryTable(this.nameOf, byId, byName);
  }
}
