import { useCallback, useEffect, useRef, useState } from 'react';
import { type ChatRequest, streamChat } from './stream-chat';

/** One model's answer to what was asked, as it comes. Times are milliseconds. */
export interface Run {
  alias: string;
  text: string;
  state: 'running' | 'done' | 'stopped' | 'failed';
  firstTokenMs: number | null;
  totalMs: number | null;
  usage: { prompt_tokens: number; completion_tokens: number } | null;
  answeredBy: string | null;
  error: Error | null;
}

const begun = (alias: string): Run => ({
  alias,
  text: '',
  state: 'running',
  firstTokenMs: null,
  totalMs: null,
  usage: null,
  answeredBy: null,
  error: null,
});

interface Runs {
  runs: Run[];
  isRunning: boolean;
  start: (aliases: readonly string[], request: Omit<ChatRequest, 'model'>) => void;
  stop: () => void;
}

/** Asks several models the same, side by side; stopping ends the calls at their providers. */
export const useRuns = (): Runs => {
  const [runs, setRuns] = useState<Run[]>([]);
  const stopping = useRef<AbortController | null>(null);
  const change = useCallback((index: number, changed: (run: Run) => Partial<Run>): void => {
    setRuns((before) => before.map((run, at) => (at === index ? { ...run, ...changed(run) } : run)));
  }, []);
  const stop = useCallback(() => stopping.current?.abort(), []);
  useEffect(() => stop, [stop]);

  const ask = useCallback(
    async (index: number, request: ChatRequest, signal: AbortSignal): Promise<void> => {
      const startedAt = performance.now();
      const elapsed = (): number => performance.now() - startedAt;
      const onText = (text: string): void =>
        change(index, (run) => ({ text: run.text + text, firstTokenMs: run.firstTokenMs ?? elapsed() }));
      try {
        const headers = await streamChat(
          request,
          { onText, onUsage: (usage) => change(index, () => ({ usage })) },
          signal,
        );
        change(index, () => ({ state: 'done', totalMs: elapsed(), answeredBy: headers.get('x-hub-model') }));
      } catch (error) {
        const failed = error instanceof Error ? error : new Error(String(error));
        change(index, () =>
          signal.aborted ? { state: 'stopped' } : { state: 'failed', error: failed, totalMs: elapsed() },
        );
      }
    },
    [change],
  );

  const start = useCallback(
    (aliases: readonly string[], request: Omit<ChatRequest, 'model'>): void => {
      stop();
      const controller = new AbortController();
      stopping.current = controller;
      setRuns(aliases.map(begun));
      aliases.forEach((model, index) => void ask(index, { ...request, model }, controller.signal));
    },
    [ask, stop],
  );
  return { runs, isRunning: runs.some(({ state }) => state === 'running'), start, stop };
};
