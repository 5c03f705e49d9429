import { randomUUID } from 'node:crypto';
import type { ImportPlan } from '../contract/declarative.contract.js';
import { EXPORT_PATH, IMPORT_PATH } from '../contract/paths.js';
import { CliError, EXIT } from './cli-error.js';
import { type LocalDocument, readLocalDocument, writeText } from './document.js';
import type { HubClient } from './hub-client.js';
import { isEmpty, planText } from './plan-text.js';
import type { Terminal } from './terminal.js';

const MIN_PASSPHRASE = 12;

export interface ExportOptions {
  output?: string;
  format: 'yaml' | 'json';
  sections?: string;
  sealed?: boolean;
}

export interface ImportOptions {
  format: string;
  prune?: boolean;
  skipMissing?: boolean;
}

/** Taken from the environment, since other users of the machine can read a command line. */
const passphraseOf = (environment: NodeJS.ProcessEnv): string => {
  const passphrase = environment['HUB_PASSPHRASE'] ?? '';
  if (passphrase.length >= MIN_PASSPHRASE) return passphrase;
  throw new CliError(EXIT.usage, `Set HUB_PASSPHRASE to a passphrase of at least ${MIN_PASSPHRASE} characters.`);
};

/** `hub export` */
export const exportDocument = async (
  hub: HubClient,
  terminal: Terminal,
  { output, format, sections, sealed }: ExportOptions,
): Promise<void> => {
  const request = sealed
    ? { method: 'POST' as const, path: EXPORT_PATH, body: { passphrase: passphraseOf(process.env), format } }
    : { path: EXPORT_PATH, query: { format, sections } };
  const text = await terminal.waiting('Exporting', hub.text(request));
  if (output === undefined) process.stdout.write(text);
  else {
    await writeText(output, text);
    terminal.note(`Written to ${output}.`);
  }
  const [, unreadable] = /"?not_sealed"?:\s*(\[[^\]]+\]|(?:\n\s*- .+)+)/.exec(text) ?? [];
  if (unreadable) terminal.note('Some secrets cannot be read by the hub and are not in it: see sealing.not_sealed.');
};

const bodyOf = (document: LocalDocument): Record<string, unknown> => ({
  document: document.text,
  env: document.env,
  ...(document.isSealed && process.env['HUB_PASSPHRASE'] && { passphrase: passphraseOf(process.env) }),
});

/** A document from elsewhere may name any variable: whoever runs the command sees which ones leave his machine. */
const readDocument = async (terminal: Terminal, path: string): Promise<LocalDocument> => {
  const document = await readLocalDocument(path, process.env);
  const names = Object.keys(document.env);
  if (names.length > 0) terminal.note(`Sent to the hub: the values of ${names.join(', ')}.`);
  return document;
};

const requestPlan = async (
  hub: HubClient,
  terminal: Terminal,
  document: LocalDocument,
  { format, prune = false, skipMissing = false }: ImportOptions,
): Promise<{ plan: ImportPlan; query: Record<string, string | boolean> }> => {
  const query = { format, prune, on_missing_secret: skipMissing ? 'skip' : 'refuse' };
  const request = {
    method: 'POST',
    path: IMPORT_PATH,
    query: { ...query, dry_run: true },
    body: bodyOf(document),
  } as const;
  return { plan: await terminal.waiting('Planning', hub.json<ImportPlan>(request)), query };
};

/** `hub plan`; answers whether there is anything to do. */
export const showPlan = async (
  hub: HubClient,
  terminal: Terminal,
  path: string,
  options: ImportOptions,
): Promise<boolean> => {
  const document = await readDocument(terminal, path);
  const { plan } = await requestPlan(hub, terminal, document, options);
  terminal.result(planText(plan), plan);
  return !isEmpty(plan);
};

/** `hub apply`: shows the plan, asks, and applies this very plan or nothing. */
export const applyDocument = async (
  hub: HubClient,
  terminal: Terminal,
  path: string,
  options: ImportOptions & { yes?: boolean },
): Promise<void> => {
  const document = await readDocument(terminal, path);
  const { plan, query } = await requestPlan(hub, terminal, document, options);
  terminal.print(planText(plan));
  if (isEmpty(plan)) return terminal.result('Nothing to do.', plan);
  if (!options.yes) await ask(terminal, path, plan);
  const request = {
    method: 'POST',
    path: IMPORT_PATH,
    query: { ...query, plan: plan.plan_digest },
    body: bodyOf(document),
    idempotencyKey: randomUUID(),
  } as const;
  const done = await terminal.waiting('Applying', hub.json<ImportPlan>(request));
  terminal.result(`Done: revision ${done.revision}.`, done);
};

const ask = async (terminal: Terminal, path: string, plan: ImportPlan): Promise<void> => {
  if (!terminal.canAsk || path === '-') {
    throw new CliError(EXIT.usage, 'Nothing was changed: this is no terminal to ask on. Say --yes to apply the plan.');
  }
  const { create, change, delete: removed } = plan.summary;
  if (await terminal.confirm(`Apply these ${create + change + removed} changes?`)) return;
  throw new CliError(EXIT.refused, 'Nothing was changed.');
};
