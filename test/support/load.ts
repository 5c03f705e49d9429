import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What so many callers got. Milliseconds. */
export interface LoadReport {
  /** Answers by status; 0: the connection broke. */
  statuses: Record<number, number>;
  perSecond: (status: number) => number;
  /** How long each good answer took. */
  latencies: number[];
  /** When each good answer was complete, since the start. */
  completedAt: number[];
}

interface Load {
  /** Connections, each with one request at a time and no pause between two. */
  callers: number;
  milliseconds: number;
  /** The whole request as it goes out. */
  request: Buffer;
  /** How long a refused caller waits before he asks again; 0: not at all. */
  pauseMilliseconds?: number;
}

const WATCHER = `
const latencies = [];
let failures = 0;
const ask = async () => {
  const startedAt = performance.now();
  const answer = await fetch(process.argv[1], { signal: AbortSignal.timeout(10000) }).catch(() => null);
  if (answer === null || answer.status !== 200) failures += 1;
  await answer?.text();
  latencies.push(performance.now() - startedAt);
  setTimeout(ask, 25);
};
process.on('SIGTERM', () => { console.log(JSON.stringify({ latencies, failures })); process.exit(0); });
console.log('ready');
void ask();
`;

const HEAD_END = Buffer.from('\r\n\r\n');

/** The status of a complete answer at the beginning of the bytes, and what it takes up; null: it is not all there yet. */
const readAnswer = (bytes: Buffer): { status: number; length: number } | null => {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = headEnd + HEAD_END.length + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  return bytes.length < length ? null : { status: Number(head.slice(9, 12)), length };
};

/** Callers on plain sockets: a client library would be busier than what it measures. */
export const drive = async (url: string, load: Load): Promise<LoadReport> => {
  const { hostname, port } = new URL(url);
  const { callers, milliseconds, request, pauseMilliseconds = 0 } = load;
  const startedAt = performance.now();
  const endsAt = startedAt + milliseconds;
  const statuses: Record<number, number> = {};
  const latencies: number[] = [];
  const completedAt: number[] = [];
  const open = new Set<Socket>();

  const note = (status: number, askedAt: number): void => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status !== 200) return;
    latencies.push(performance.now() - askedAt);
    completedAt.push(performance.now() - startedAt);
  };

  const caller = (): void => {
    if (performance.now() >= endsAt) return;
    const socket = connect(Number(port), hostname);
    let received = Buffer.alloc(0);
    let askedAt = 0;
    const ask = (): void => {
      askedAt = performance.now();
      socket.write(request);
    };
    open.add(socket);
    socket.setNoDelay(true);
    socket.on('connect', ask);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      if (performance.now() >= endsAt) return;
      if (askedAt > 0) note(0, askedAt);
      setTimeout(caller, Math.max(50, pauseMilliseconds));
    });
    socket.on('data', (piece) => {
      received = received.length === 0 ? piece : Buffer.concat([received, piece]);
      const answer = readAnswer(received);
      if (!answer) return;
      received = received.subarray(answer.length);
      note(answer.status, askedAt);
      askedAt = 0;
      if (answer.status === 200 || pauseMilliseconds === 0) ask();
      else setTimeout(ask, pauseMilliseconds);
    });
  };
  for (let index = 0; index < callers; index += 1) caller();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  for (const socket of open) socket.destroy();
  return {
    statuses,
    perSecond: (status) => ((statuses[status] ?? 0) * 1000) / milliseconds,
    latencies,
    completedAt,
  };
};

/** Asks every so often, from a process of its own, how long an answer takes. Milliseconds. */
export const watchLatency = async (
  url: string,
): Promise<{ stop(): Promise<{ latencies: number[]; failures: number }> }> => {
  const child = spawn(process.execPath, ['-e', WATCHER, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  await once(child.stdout, 'data');
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'close');
      return JSON.parse(output.slice(output.indexOf('{'))) as { latencies: number[]; failures: number };
    },
  };
};
