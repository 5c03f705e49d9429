// Processes of a bench: started, waited for until they say that they are ready, and stopped.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const children = [];

/** Starts a script, relative to `scripts/` or absolute; resolves with its address once it prints one behind `ready`. */
export const start = (file, env, { args = [], ready = /Ready: (http:\/\/[^\s"]+)/ } = {}) =>
  new Promise((resolve, reject) => {
    const path = file.startsWith('/') ? file : fileURLToPath(new URL(`../${file}`, import.meta.url));
    const child = spawn(process.execPath, [path, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let printed = '';
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
    child.stdout.on('data', (piece) => {
      if (printed === null) return;
      printed += piece;
      const url = ready.exec(printed)?.[1];
      if (!url) return;
      printed = null;
      resolve({ child, url });
    });
  });

const stop = async (child) => {
  child.removeAllListeners('exit');
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
};

export const stopAll = () => Promise.all(children.map(stop));

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
