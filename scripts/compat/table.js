// The rows of a run as tables: for a terminal and for docs/compatibility.md.
import { readFileSync } from 'node:fs';
import { format as prettify } from 'prettier';
import { FEATURES } from './run-clients.js';

const MARKS = { pass: '✓', fail: '✗', none: '–' };

const unique = (rows, key) => [...new Set(rows.map((row) => row[key]))];
const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;

const table = (rows) => {
  const cell = (client, feature) => rows.find((row) => row.client === client && row.feature === feature);
  const head = ['client', ...FEATURES];
  const body = unique(rows, 'client').map((client) => [
    client,
    ...FEATURES.map((feature) => MARKS[cell(client, feature)?.outcome ?? 'none']),
  ]);
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
};

/** For a terminal. */
export const format = (rows) =>
  unique(rows, 'provider')
    .map((provider) => `\n${provider}\n${table(rows.filter((row) => row.provider === provider))}`)
    .join('\n');

const reasons = (rows) =>
  unique(
    rows.filter(({ outcome, reason }) => outcome === 'none' && reason),
    'reason',
  ).map((reason) => `- ${reason}`);

/** The document, as Prettier would have it. */
export const toDocument = async (rows) => {
  const clients = ['openai', '@anthropic-ai/sdk', 'ai', '@ai-sdk/openai-compatible', '@langchain/openai'];
  const text = `# Compatibility

Made by \`npm run compat\`: each client as its makers publish it, against the hub, against providers that others made
(\`@copilotkit/aimock\` ${versionOf('@copilotkit/aimock')} speaks the wire of each). No real provider was called.

${clients.map((name) => `\`${name}\` ${versionOf(name)}`).join(', ')}

✓ works, ✗ does not, – there is no such thing:

${reasons(rows).join('\n')}

${unique(rows, 'provider')
  .map((provider) => `## ${provider}\n\n${table(rows.filter((row) => row.provider === provider))}`)
  .join('\n\n')}
`;
  return prettify(text, { parser: 'markdown', printWidth: 120, proseWrap: 'preserve' });
};
