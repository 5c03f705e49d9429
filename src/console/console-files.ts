import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** What the build of the console writes: beside the compiled application or, seen from its sources, in `dist`. */
const BUILT = ['../../console-web', '../../dist/console-web']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};

/** One file of the console; packed when somebody first wants it so, since a start should not wait for it. */
export class ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  private known: Buffer | null = null;

  constructor(path: string) {
    this.bytes = readFileSync(path);
    this.type = TYPES[extname(path)] ?? 'application/octet-stream';
  }

  /** As gzip. */
  get packed(): Buffer {
    this.known ??= gzipSync(this.bytes);
    return this.known;
  }
}

/** The console as it was built, in memory: a few megabytes. */
export class ConsoleFiles {
  /** The page; null: this build has no console. */
  readonly page: string | null;
  private readonly assets = new Map<string, ConsoleFile>();

  constructor(directory = BUILT ?? '') {
    const page = join(directory, 'index.html');
    this.page = existsSync(page) ? readFileSync(page, 'utf8') : null;
    const assets = join(directory, 'assets');
    if (!existsSync(assets)) return;
    for (const name of readdirSync(assets)) {
      if (extname(name) !== '.map') this.assets.set(name, new ConsoleFile(join(assets, name)));
    }
  }

  asset(name: string): ConsoleFile | null {
    return this.assets.get(name) ?? null;
  }
}
