import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import type { ReceivedCall } from './fake-provider.js';

/** Headers of a call that say something of us; the others are those of the connection. */
const OURS = /^(?:authorization|api-key|content-type|accept|anthropic-|x-)/;

/** A request as it arrived: its line, its headers by name, an empty line, and its body to the byte. */
export const asText = ({ path, headers, raw }: Pick<ReceivedCall, 'path' | 'headers' | 'raw'>): string => {
  const told = Object.entries(headers).filter(([name]) => OURS.test(name));
  const lines = told.map(([name, value]) => `${name}: ${String(value)}`).sort();
  return [`POST ${path}`, ...lines, '', raw.toString('utf8')].join('\n');
};

/**
 * Compares a text with the file `test/golden/{name}.{extension}`, byte for byte. `UPDATE_GOLDEN=1` writes the file instead: what
 * changed is then to be read in the difference of the commit.
 */
export const expectGolden = (name: string, actual: string, extension: 'http' | 'txt' = 'http'): void => {
  const file = fileURLToPath(new URL(`../golden/${name}.${extension}`, import.meta.url));
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
  }
  expect({ name, text: existsSync(file) ? readFileSync(file, 'utf8') : 'there is no such file' }).toEqual({
    name,
    text: actual,
  });
};
