import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** What is wrong with a YAML text, and where; never a piece of it, which could be a secret. */
export interface YamlProblem {
  reason: 'syntax' | 'duplicate_key' | 'tag' | 'anchor' | 'merge' | 'aliases' | 'depth' | 'number' | 'size';
  line: number | null;
  column: number | null;
}

/** What the thread answers: the document as JSON, or what is wrong with it. */
export type YamlAnswer = { json: string } | { problem: YamlProblem };

interface Input {
  /** Where the `yaml` package is: the thread has no modules of its own. */
  yaml: string;
  text: string;
  maxAliases: number;
  maxCharacters: number;
}

/** An alias is its anchor's content once more: so many may stand in a document. */
const MAX_ALIASES = 10_000;
const MAX_MEGABYTES = 1024;
const STACK_MEGABYTES = 8;

/**
 * What the thread does. Its source text is what runs there, so that it is the same from `src` and from `dist`; it must
 * not name anything outside itself.
 */
const work = (): void => {
  // A thread that is made of text has no import.
  const { parentPort, workerData } = require('node:worker_threads') as typeof import('node:worker_threads');
  const { yaml, text, maxAliases, maxCharacters } = workerData as Input;
  const { LineCounter, parseDocument, visit } = require(yaml) as typeof import('yaml');
  const lines = new LineCounter();
  const problemAt = (reason: YamlProblem['reason'], offset?: number): { problem: YamlProblem } => {
    const position = offset === undefined ? null : lines.linePos(offset);
    return { problem: { reason, line: position?.line ?? null, column: position?.col ?? null } };
  };

  const read = (): YamlAnswer => {
    const document = parseDocument(text, {
      lineCounter: lines,
      // Not `silent`: that would take the first document of several without a word.
      logLevel: 'error',
      merge: true,
      prettyErrors: false,
      resolveKnownTags: false,
      stringKeys: true,
      // The package looks through all keys for each key; see below.
      uniqueKeys: false,
    });
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) return problemAt(problem.code === 'TAG_RESOLVE_FAILED' ? 'tag' : 'syntax', problem.pos[0]);
    let repeated: number | undefined;
    visit(document, {
      Map: (_key, map) => {
        const seen = new Set<unknown>();
        for (const { key } of map.items) {
          const { value, range } = key as { value: unknown; range?: [number, number, number] };
          if (seen.has(value)) repeated ??= range?.[0] ?? 0;
          seen.add(value);
        }
      },
    });
    if (repeated !== undefined) return problemAt('duplicate_key', repeated);
    let hasBadNumber = false;
    const json = JSON.stringify(document.toJS({ maxAliasCount: maxAliases }), (_key, value: unknown) => {
      if (typeof value === 'number' && !Number.isFinite(value)) hasBadNumber = true;
      return value;
    });
    if (hasBadNumber) return problemAt('number');
    return (json?.length ?? 0) > maxCharacters ? problemAt('size') : { json: json ?? 'null' };
  };

  const answer = (): YamlAnswer => {
    try {
      return read();
    } catch (error) {
      if (error instanceof RangeError) return problemAt(/call stack/i.test(error.message) ? 'depth' : 'size');
      if (error instanceof ReferenceError && /Excessive/.test(error.message)) return problemAt('aliases');
      // An alias of nothing, or one inside of its own anchor: a circle, which is no JSON.
      if (error instanceof ReferenceError || error instanceof TypeError) return problemAt('anchor');
      if (error instanceof Error && error.message.startsWith('Merge sources')) return problemAt('merge');
      throw error;
    }
  };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(answer());
};

/**
 * Parses YAML in a thread of its own, which is ended after so many milliseconds: a few megabytes can cost seconds, and
 * a text that is meant to can cost hours or all memory. null: it took too long or too much.
 */
export const parseInThread = (
  text: string,
  limits: { milliseconds: number; maxCharacters: number },
): Promise<YamlAnswer | null> =>
  new Promise((resolve, reject) => {
    const yaml = createRequire(import.meta.url).resolve('yaml');
    const workerData: Input = { yaml, text, maxAliases: MAX_ALIASES, maxCharacters: limits.maxCharacters };
    const worker = new Worker(`(${work.toString()})()`, {
      eval: true,
      workerData,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MAX_MEGABYTES, stackSizeMb: STACK_MEGABYTES },
    });
    const timer = setTimeout(() => void worker.terminate(), limits.milliseconds);
    worker.once('message', resolve);
    worker.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? resolve(null) : reject(error),
    );
    worker.once('exit', () => {
      clearTimeout(timer);
      resolve(null);
    });
  });
