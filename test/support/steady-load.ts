import { type Answer } from './calls.js';

/** One line of the ledger. */
export interface Entry {
  /** What was asked for. */
  kind: string;
  /** 0: no whole answer. */
  status: number;
  milliseconds: number;
  /** What the model said, or the code of the error. */
  said: unknown;
}

export interface SteadyLoad {
  readonly entries: readonly Entry[];
  /** Resolves when everything that was asked is answered. */
  stop(): Promise<readonly Entry[]>;
}

/** What is asked the nth time, under which name. */
export type Asking = (nth: number) => { kind: string; answer: Promise<Pick<Answer, 'status' | 'json' | 'error'>> };

interface Choice {
  message?: { content?: unknown };
}

export const saidIn = ({ json, error }: Pick<Answer, 'json' | 'error'>): unknown =>
  (json['choices'] as Choice[] | undefined)?.[0]?.message?.content ?? error['code'];

/** So many a second, whether or not those before were answered. */
export const startSteadyLoad = (perSecond: number, ask: Asking): SteadyLoad => {
  const entries: Entry[] = [];
  const open = new Set<Promise<void>>();
  let asked = 0;
  const askOnce = async (): Promise<void> => {
    const startedAt = performance.now();
    const { kind, answer } = ask(asked++);
    const { status, said } = await answer.then(
      (told) => ({ status: told.status, said: saidIn(told) }),
      (error: unknown) => ({ status: 0, said: String(error) }),
    );
    entries.push({ kind, status, said, milliseconds: performance.now() - startedAt });
  };
  const startedAt = performance.now();
  const timer = setInterval(() => {
    // A late timer catches up: the rate is that of the clock.
    while (asked < ((performance.now() - startedAt) / 1000) * perSecond) {
      const running = askOnce().finally(() => open.delete(running));
      open.add(running);
    }
  }, 1000 / perSecond);
  return {
    entries,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      return entries;
    },
  };
};
