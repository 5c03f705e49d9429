const BYTE_ORDER_MARK = '\uFEFF';

/** One event of a server-sent stream. What it says is only read when somebody asks. */
export class SseEvent {
  private fields: { data: string | null; name: string | null } | undefined;

  constructor(
    /** The event with its delimiter, exactly as received. */
    readonly bytes: Buffer,
    /** False for what a broken stream left behind: it has no delimiter and must not be forwarded unseen. */
    readonly complete = true,
  ) {}

  /** The `data` lines joined by `\n`; null when there are none, as in a comment. */
  data(): string | null {
    return this.read().data;
  }

  /** The value of the last `event` line, or null. */
  eventName(): string | null {
    return this.read().name;
  }

  private read(): { data: string | null; name: string | null } {
    this.fields ??= readFields(this.bytes.toString('utf8'));
    return this.fields;
  }
}

const readFields = (text: string): { data: string | null; name: string | null } => {
  const data: string[] = [];
  let name: string | null = null;
  // A mark is legal only at the start of the stream; servers that glue files together also send it later.
  const content = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  for (const line of content.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    if (field === 'data') data.push(fieldValue(line, colon));
    else if (field === 'event') name = fieldValue(line, colon);
  }
  return { data: data.length > 0 ? data.join('\n') : null, name };
};

const fieldValue = (line: string, colon: number): string => {
  if (colon === -1) return '';
  return line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
};
