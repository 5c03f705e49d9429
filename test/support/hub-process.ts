import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../dist/src/', import.meta.url));
const START_MILLISECONDS = 30_000;

export interface HubProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly output: () => string;
  /** Sends a signal and waits until the process is gone; answers its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface FinishedProcess {
  code: number | null;
  output: string;
}

/** What is run; `main.js` without arguments unless told. */
interface Program {
  script?: 'main.js' | 'migrate.js';
  args?: string[];
}

interface ProcessOptions {
  uid?: number;
  gid?: number;
  cwd?: string;
  /** In a process group of its own, to be signalled as a whole. */
  detached?: boolean;
}

export interface LaunchedProcess {
  readonly child: ChildProcess;
  readonly output: () => string;
}

/** The built application, wherever it is in its life. */
export const launchHubProcess = (
  env: Record<string, string>,
  options: ProcessOptions = {},
  { script = 'main.js', args = [] }: Program = {},
): LaunchedProcess => {
  // Nothing of the test's own environment but the path: what a process is started with is written in the test.
  const child = spawn(process.execPath, [DIST + script, ...args], {
    env: { PATH: process.env['PATH'] ?? '', LOG_FORMAT: 'json', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  let text = '';
  child.stdout?.on('data', (piece: Buffer) => (text += piece.toString()));
  child.stderr?.on('data', (piece: Buffer) => (text += piece.toString()));
  return { child, output: () => text };
};

/** The exit code, once it is gone; null: ended by a signal. */
export const exitOf = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', (code) => resolve(code)));

/** The built application as a process of its own; resolves when it says that it is ready. */
export async function startHubProcess(env: Record<string, string>, options: ProcessOptions = {}): Promise<HubProcess> {
  const { child, output } = launchHubProcess(env, options);
  const deadline = Date.now() + START_MILLISECONDS;
  let url: string | undefined;
  while (!url) {
    url = /Ready: (http:\/\/\S+)/.exec(output())?.[1];
    if (url) break;
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`The process did not get ready (exit code ${child.exitCode}):\n${output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    child,
    url,
    output,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return exitOf(child);
    },
  };
}

/** A process that is expected to end by itself, such as one with a wrong setting. */
export async function runHubProcess(env: Record<string, string>, program: Program = {}): Promise<FinishedProcess> {
  const { child, output } = launchHubProcess(env, {}, program);
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MILLISECONDS);
  const code = await exitOf(child);
  clearTimeout(timer);
  return { code, output: output() };
}
