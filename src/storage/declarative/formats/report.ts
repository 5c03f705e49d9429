import type { ReportEntry, ReportLevel } from '../../../contract/declarative.contract.js';
import { isPlainObject } from '../../../contract/fields.js';

const MAX_ENTRIES = 1000;
const MAX_PATH = 300;

/** What becomes of a foreign document's parts. Names places and never values: any of them may be a secret. */
export class Report {
  private readonly kept: ReportEntry[] = [];
  private total = 0;

  add(level: ReportLevel, path: string, message: string): void {
    this.total += 1;
    if (this.kept.length < MAX_ENTRIES) this.kept.push({ level, path: path.slice(0, MAX_PATH), message });
  }

  get entries(): ReportEntry[] {
    const more = this.total - this.kept.length;
    if (more === 0) return this.kept;
    return [...this.kept, { level: 'unsupported', path: '', message: `${more} more are not listed.` }];
  }
}

/** An object that is read key by key: what nobody asked for is reported at the end. */
export class Source {
  private readonly left: Set<string>;

  constructor(
    private readonly record: Record<string, unknown>,
    readonly path: string,
    readonly report: Report,
  ) {
    // A key without a value says nothing.
    this.left = new Set(Object.keys(record).filter((key) => record[key] !== null));
  }

  /** The same with further keys, which it reads where it has none of its own. */
  withDefaults(defaults: Record<string, unknown>): Source {
    const source = new Source({ ...defaults, ...this.record }, this.path, this.report);
    source.left.clear();
    for (const key of [...this.left, ...Object.keys(defaults)]) source.left.add(key);
    return source;
  }

  has(key: string): boolean {
    return this.left.has(key);
  }

  pathOf(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  /** The value, which then counts as used; null counts as absent. */
  take(key: string): unknown {
    this.left.delete(key);
    return Object.hasOwn(this.record, key) ? (this.record[key] ?? undefined) : undefined;
  }

  /** The object under a key; anything else there is reported, and read as an empty one. */
  takeObject(key: string): Source {
    const value = this.take(key);
    if (value !== undefined && !isPlainObject(value)) this.say('unsupported', key, 'is not an object');
    return new Source(isPlainObject(value) ? value : {}, this.pathOf(key), this.report);
  }

  takeText(key: string): string | undefined {
    const value = this.take(key);
    if (value === undefined || typeof value === 'string') return value;
    this.say('unsupported', key, 'is not a text');
    return undefined;
  }

  /** A number within bounds, also one in quotes; anything else is reported and left out. */
  takeNumber(
    key: string,
    { min, max, whole = false }: { min: number; max: number; whole?: boolean },
  ): number | undefined {
    const value = this.take(key);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^-?\d+(?:\.\d+)?(?:e-?\d+)?$/i.test(value) ? Number(value) : value;
    const isGood = typeof number === 'number' && number >= min && number <= max && (!whole || Number.isInteger(number));
    if (isGood) return number;
    this.say('unsupported', key, `is not a ${whole ? 'whole ' : ''}number from ${min} to ${max}, and is left out`);
    return undefined;
  }

  takeFlag(key: string): boolean | undefined {
    const value = this.take(key);
    if (value === undefined || typeof value === 'boolean') return value;
    this.say('unsupported', key, 'is neither true nor false, and is left out');
    return undefined;
  }

  say(level: ReportLevel, key: string, message: string): void {
    this.report.add(level, this.pathOf(key), message);
  }

  /** Keys that nobody took. */
  get rest(): string[] {
    return [...this.left];
  }
}
