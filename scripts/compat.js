// `npm run compat`: clients that others made, against the hub, against providers that others made
// (`@copilotkit/aimock`, which speaks the wire of each). Prints a table of client × provider × feature, and fails when a
// cell does. `--write` puts it into docs/compatibility.md, `--check` compares it with what is there.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LLMock } from '@copilotkit/aimock';
import { start, stopAll } from './bench/children.js';
import { CLIENTS, FEATURES, runFeature, teach } from './compat/run-clients.js';
import { PROVIDERS } from './compat/providers.js';
import { format, toDocument } from './compat/table.js';
import { removeDataDirectory } from './support/remove-data-directory.js';

const DOCUMENT = new URL('../docs/compatibility.md', import.meta.url);
const HELP = `Usage: npm run compat [-- --write | --check]

  --write   write docs/compatibility.md
  --check   fail when docs/compatibility.md says something else

Exit code: 0 all of it works, 1 something does not, or the document is another.`;

const { values: options } = parseArgs({
  options: { write: { type: 'boolean' }, check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});

const save = async (hub, token, body) => {
  const answer = await fetch(`${hub}/api/v1/ai-models/configs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ max_retries: 0, supports_images: true, ...body }),
  });
  if (answer.status !== 201) throw new Error(`${body.alias}: ${answer.status} ${await answer.text()}`);
};

const runProvider = async (hub, token, provider) => {
  const target = { url: hub, token, alias: provider.id, embeddingAlias: null };
  await save(hub, token, { alias: provider.id, ...provider.chat });
  if (provider.embeddings) {
    target.embeddingAlias = `${provider.id}-embeddings`;
    await save(hub, token, { alias: target.embeddingAlias, ...provider.embeddings });
  }
  const rows = [];
  for (const client of CLIENTS) {
    for (const feature of FEATURES) {
      const reason = provider.without?.[feature];
      const row = reason
        ? { client: client.name, feature, outcome: 'none', reason }
        : await runFeature(client, feature, target);
      if (row.outcome === 'fail') console.error(`  ${provider.name}, ${client.name}, ${feature}: ${row.reason}`);
      rows.push({ provider: provider.name, ...row });
    }
  }
  return rows;
};

const run = async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-compat-'));
  const mock = new LLMock({ port: 0 });
  teach(mock);
  await mock.start();
  try {
    const token = `compat-${randomBytes(24).toString('hex')}`;
    const hub = await start('../dist/src/main.js', {
      PORT: '0',
      DATA_DIR: dataDir,
      ADMIN_TOKEN: token,
      // The clients are refused on purpose, all of them from one address.
      AUTH_FAILURES_PER_MINUTE: '1000000',
      LOG_FORMAT: 'json',
    });
    const rows = [];
    for (const provider of PROVIDERS(mock.url)) {
      console.error(`${provider.name} …`);
      rows.push(...(await runProvider(hub.url, token, provider)));
    }
    return rows;
  } finally {
    await stopAll();
    await mock.stop();
    removeDataDirectory(dataDir);
  }
};

if (options.help) {
  console.log(HELP);
} else {
  const rows = await run();
  const document = await toDocument(rows);
  console.log(format(rows));
  const failed = rows.filter(({ outcome }) => outcome === 'fail').length;
  if (options.write) writeFileSync(DOCUMENT, document);
  const isOther = options.check && readFileSync(DOCUMENT, 'utf8') !== document;
  if (isOther) console.error('docs/compatibility.md says something else: npm run compat -- --write');
  console.log(`${rows.filter(({ outcome }) => outcome === 'pass').length} passed, ${failed} failed`);
  process.exitCode = failed > 0 || isOther ? 1 : 0;
}
