/** Bytes kept until their event is complete. Grows by doubling, so a stream of tiny packets stays linear. */
export class PendingBytes {
  private storage = Buffer.alloc(0);
  private used = 0;

  get length(): number {
    return this.used;
  }

  append(bytes: Buffer): void {
    const needed = this.used + bytes.length;
    if (needed > this.storage.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.storage.length * 2, 1024));
      this.storage.copy(larger, 0, 0, this.used);
      this.storage = larger;
    }
    bytes.copy(this.storage, this.used);
    this.used = needed;
  }

  /** Hands the bytes over and starts afresh: what was handed out is never written to again. */
  take(): Buffer {
    const bytes = this.storage.subarray(0, this.used);
    this.storage = Buffer.alloc(0);
    this.used = 0;
    return bytes;
  }
}
