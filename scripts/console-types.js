// Types of the console: those of the API are made from its OpenAPI document, then everything is checked against them.
// `npm run check:console`; with --schema only the first, which the linter needs, too.
import { spawnSync } from 'node:child_process';

const run = (...args) => {
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return status ?? 1;
};

const SCHEMA = 'src/console/web/src/api/schema.ts';
const made = run(
  'node_modules/openapi-typescript/bin/cli.js',
  'docs/openapi/all.json',
  '--default-non-nullable=false',
  '-o',
  SCHEMA,
);
const isSchemaAlone = process.argv.includes('--schema');
const { status } =
  made === 0 && !isSchemaAlone
    ? spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'src/console/web'], { stdio: 'inherit' })
    : { status: made };
if (status === 0 && !isSchemaAlone) console.log('The console fits the API.');
process.exit(status ?? 1);
