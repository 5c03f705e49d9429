import { createInterface } from 'node:readline/promises';

const SECOND = 1000;

/** Results go to standard output, everything else to standard error. */
export class Terminal {
  constructor(private readonly isJson: boolean) {}

  /** A result for people; nothing with --json. */
  print(text: string): void {
    if (!this.isJson) process.stdout.write(`${text}\n`);
  }

  /** A result for programs; nothing without --json. */
  printJson(value: unknown): void {
    if (this.isJson) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** The one or the other. */
  result(text: string, value: unknown): void {
    this.print(text);
    this.printJson(value);
  }

  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  get canAsk(): boolean {
    return process.stdin.isTTY && process.stderr.isTTY;
  }

  async confirm(question: string): Promise<boolean> {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^y(?:es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
    } finally {
      lines.close();
    }
  }

  /** Shows on a terminal that the work goes on, and for how long. */
  async waiting<Result>(what: string, work: Promise<Result>): Promise<Result> {
    if (!process.stderr.isTTY) return work;
    const start = performance.now();
    const show = (): void => this.progress(`${what}, ${Math.round((performance.now() - start) / SECOND)} s`);
    const timer = setInterval(show, SECOND);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      this.progress('');
    }
  }

  /** One line that is written over on a terminal, and one after the other elsewhere. */
  progress(text: string): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
    else if (text !== '') this.note(text);
  }
}

/** Columns as wide as their widest entry. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
