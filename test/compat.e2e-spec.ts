import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const COMPAT = fileURLToPath(new URL('../scripts/compat.js', import.meta.url));

/** Neither the clients nor the providers were written here. */
it('every client does with every provider what docs/compatibility.md says', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMPAT, '--check'], { encoding: 'utf8' });
  expect({ status, failures: stderr.split('\n').filter((line) => line.startsWith('  ')) }).toEqual({
    status: 0,
    failures: [],
  });
  expect(Number(/(\d+) passed, 0 failed/.exec(stdout)?.[1])).toBeGreaterThan(400);
});
