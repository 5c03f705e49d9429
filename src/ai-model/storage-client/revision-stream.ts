import type { Readable } from 'node:stream';

const MAX_LINE = 1000;
const REVISION_LINE = /^data: \{"revision":(\d{1,16})\}$/;
/** Three of the server's heartbeats: a connection that says nothing for so long is broken. */
const SILENCE_MILLISECONDS = 45_000;

/** Reads `data: {"revision":N}` events until the stream ends; everything else is a heartbeat. */
export async function readRevisions(stream: Readable, onRevision: (revision: number) => void): Promise<void> {
  const watchdog = setTimeout(() => stream.destroy(new Error('silent')), SILENCE_MILLISECONDS);
  let rest = '';
  try {
    for await (const chunk of stream) {
      watchdog.refresh();
      const lines = (rest + String(chunk)).split('\n');
      rest = (lines.pop() ?? '').slice(-MAX_LINE);
      for (const line of lines) {
        const revision = REVISION_LINE.exec(line)?.[1];
        if (revision !== undefined) onRevision(Number(revision));
      }
    }
  } finally {
    clearTimeout(watchdog);
    stream.destroy();
  }
}
