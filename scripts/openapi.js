// Writes the OpenAPI document of each role to docs/openapi, or with --check compares it with what is there.
// `npm run openapi`, `npm run check:openapi`. Needs no database: the application is only described, not started.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import 'reflect-metadata';

const { describeRoles } = await import('../dist/src/app/describe-roles.js');

const directory = new URL('../docs/openapi/', import.meta.url);
const isCheck = process.argv.includes('--check');
mkdirSync(directory, { recursive: true });

let differences = 0;
for (const [role, document] of Object.entries(await describeRoles())) {
  const file = new URL(`${role}.json`, directory);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (!isCheck) {
    writeFileSync(file, text);
    console.log(`wrote ${fileURLToPath(file)}`);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`docs/openapi/${role}.json differs from the code: run \`npm run openapi\` and commit it.`);
    differences += 1;
  }
}
if (isCheck && differences === 0) console.log('The OpenAPI documents are up to date.');
process.exit(differences === 0 ? 0 : 1);
