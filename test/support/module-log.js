// With `--import` of this file, a process writes the file name of every module it resolves, ESM and CommonJS alike, to
// the file MODULE_LOG names.
import { appendFileSync } from 'node:fs';
import Module, { register } from 'node:module';

register('./module-log-hooks.js', import.meta.url);

const resolve = Module._resolveFilename;
Module._resolveFilename = (...request) => {
  const filename = resolve(...request);
  appendFileSync(process.env.MODULE_LOG, `${filename}\n`);
  return filename;
};
