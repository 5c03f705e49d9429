const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{`, `]` and `}` differ in this bit alone. */
const BRACE_BIT = 0x20;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Sees where a JSON object ends that comes in pieces, without keeping them. Each character is looked at once. */
export class JsonObjectEnd {
  private depth = 0;
  private isInString = false;
  private isEscaped = false;
  private hasBegun = false;

  /** Whatever was opened is closed: nothing that belongs to the object can follow. */
  get isReached(): boolean {
    return this.hasBegun && this.depth === 0;
  }

  push(text: string): void {
    for (let at = 0; at < text.length; at += 1) this.look(text.charCodeAt(at));
  }

  private look(unit: number): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (this.isInString) {
      if (unit === BACKSLASH) this.isEscaped = true;
      else if (unit === QUOTE) this.isInString = false;
    } else if (unit === QUOTE) this.isInString = true;
    else if ((unit & ~BRACE_BIT) === OPEN) {
      this.depth += 1;
      this.hasBegun = true;
    } else if ((unit & ~BRACE_BIT) === CLOSE) this.depth -= 1;
  }
}
