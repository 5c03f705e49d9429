/** What a writer was told of one config: the fields of the last acknowledged write, and of one that was never answered. */
interface Entry<Fields> {
  acknowledged: Fields | null;
  unanswered: Fields | null;
}

/** Keeps what was acknowledged, to be compared with what is there after a crash. */
export class Ledger<Fields extends object> {
  private readonly entries = new Map<string, Entry<Fields>>();
  acknowledgements = 0;

  /** Writes and remembers the outcome. `write` answers whether it was acknowledged; it throws when nobody can know. */
  async write(name: string, fields: Fields, write: () => Promise<boolean>): Promise<boolean> {
    const entry = this.entries.get(name) ?? { acknowledged: null, unanswered: null };
    this.entries.set(name, { ...entry, unanswered: fields });
    const isAcknowledged = await write();
    this.entries.set(name, { acknowledged: isAcknowledged ? fields : entry.acknowledged, unanswered: null });
    this.acknowledgements += isAcknowledged ? 1 : 0;
    return isAcknowledged;
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  /** What must be there, and is not as it must be. From now on what was found counts as acknowledged. */
  settle(found: ReadonlyMap<string, Fields>): string[] {
    const losses: string[] = [];
    const same = (one: Fields | null, other: Fields | null): boolean => JSON.stringify(one) === JSON.stringify(other);
    for (const [name, { acknowledged, unanswered }] of this.entries) {
      const there = found.get(name) ?? null;
      // A write without an answer may have been done or not; never something else.
      if (!same(there, acknowledged) && !(unanswered && same(there, unanswered))) {
        losses.push(`${name}: ${JSON.stringify(there)} instead of ${JSON.stringify(acknowledged)}`);
      }
      if (there) this.entries.set(name, { acknowledged: there, unanswered: null });
      else this.entries.delete(name);
    }
    for (const name of found.keys()) if (!this.entries.has(name)) losses.push(`${name} was never written`);
    return losses;
  }
}
