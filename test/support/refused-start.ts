import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const LIMIT_MILLISECONDS = 20_000;

export interface RefusedStart {
  code: number | null;
  stdout: string;
  stderr: string;
  milliseconds: number;
}

/** Runs the built application until it ends by itself. */
export const refusedStart = (env: Record<string, string>): Promise<RefusedStart> =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [MAIN], {
      // A place without a `.env`.
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'] ?? '', LOG_FORMAT: 'json', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MILLISECONDS);
    const texts = { stdout: '', stderr: '' };
    child.stdout.on('data', (piece: Buffer) => (texts.stdout += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (texts.stderr += piece.toString()));
    child.once('error', reject);
    // Not 'exit': what it said last may still be on its way then.
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, ...texts, milliseconds: performance.now() - startedAt });
    });
  });
