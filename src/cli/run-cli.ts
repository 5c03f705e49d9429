import { existsSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { GRANTABLE_SCOPES } from '../contract/scopes.js';
import { scrub } from '../platform/logging/scrub.js';
import { CliError, EXIT } from './cli-error.js';
import { readConnection } from './connection.js';
import { EXIT_CODES, REFERENCES, SETTINGS } from './help-texts.js';
import { HubClient } from './hub-client.js';
import type { ExportOptions, ImportOptions } from './import-commands.js';
import type { NewToken } from './token-commands.js';
import { Terminal } from './terminal.js';

/** What the entry brings along, so that this room sees neither the application nor a service. */
export interface CliParts {
  version: string;
  /** Brings the database up to date; ends the process itself when that fails. */
  migrate: () => Promise<void>;
}

interface JsonOption {
  json?: boolean;
}

/** The hub of the environment, and where its answers go. */
const connect = ({ json = false }: JsonOption): { hub: HubClient; terminal: Terminal } => ({
  hub: new HubClient(readConnection(process.env)),
  terminal: new Terminal(json),
});

const jsonOption = (): Option => new Option('--json', 'the answer of the hub, for programs');

const addExport = (program: Command): void => {
  program
    .command('export')
    .description('write models and prompts as one document; the same state gives the same bytes')
    .option('-o, --output <file>', 'write to a file (mode 0600) instead of standard output')
    .addOption(new Option('-f, --format <format>', 'how it is written').choices(['yaml', 'json']).default('yaml'))
    .option(
      '--sections <names>',
      'models, prompts, alert_rules, comma-separated; without it all that the token may read',
    )
    .addOption(new Option('--sealed', 'with the secrets, sealed to HUB_PASSPHRASE (scope admin)').conflicts('sections'))
    .action(async (options: ExportOptions) => {
      const { hub, terminal } = connect({});
      const { exportDocument } = await import('./import-commands.js');
      await exportDocument(hub, terminal, options);
    });
};

const addImport = (program: Command): void => {
  const add = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .argument('<file>', 'an export of a hub, a config.yaml of LiteLLM, or prompts of Langfuse; - is standard input')
      .addOption(
        new Option('-f, --format <format>', 'what it is')
          .choices(['auto', 'hub', 'litellm', 'langfuse'])
          .default('auto'),
      )
      .option('--prune', 'delete the models and alert rules, and archive the prompts, that the document does not name')
      .option('--skip-missing', 'go on without secrets that are neither set here nor stored')
      .addOption(jsonOption())
      .addHelpText('after', REFERENCES);

  add('plan', 'show what applying a document would do, and change nothing')
    .option('--exit-code', `exit with ${EXIT.changes} when there is something to do`)
    .action(async (file: string, options: ImportOptions & JsonOption & { exitCode?: boolean }) => {
      const { hub, terminal } = connect(options);
      const { showPlan } = await import('./import-commands.js');
      const hasChanges = await showPlan(hub, terminal, file, options);
      if (hasChanges && options.exitCode) process.exitCode = EXIT.changes;
    });
  add('apply', 'make the hub what a document says: all of it, or nothing')
    .option('-y, --yes', 'do not ask')
    .action(async (file: string, options: ImportOptions & JsonOption & { yes?: boolean }) => {
      const { hub, terminal } = connect(options);
      const { applyDocument } = await import('./import-commands.js');
      await applyDocument(hub, terminal, file, options);
    });
};

const addKeys = (program: Command): void => {
  const keys = program.command('keys').description('the keys that secrets are encrypted with (scope admin)');
  const add = (name: string, description: string): Command =>
    keys.command(name).description(description).addOption(jsonOption());

  add('status', 'the keys, and what is sealed under each').action(async (options: JsonOption) => {
    const { hub, terminal } = connect(options);
    await (await import('./key-commands.js')).keyStatus(hub, terminal);
  });
  add('rotate', 'add a key, use it everywhere, and seal everything anew under it').action(
    async (options: JsonOption) => {
      const { hub, terminal } = connect(options);
      await (await import('./key-commands.js')).rotateKeys(hub, terminal);
    },
  );
  add('rewrap', 'seal everything anew under the active key; can be stopped and begun again')
    .option('--dry-run', 'only tell how much there is to do')
    .action(async (options: JsonOption & { dryRun?: boolean }) => {
      const { hub, terminal } = connect(options);
      await (await import('./key-commands.js')).rewrapKeys(hub, terminal, options);
    });
  add('remove', 'take a key out of the ring that nothing is sealed under')
    .argument('<id>', 'id of the key')
    .action(async (id: string, options: JsonOption) => {
      const { hub, terminal } = connect(options);
      await (await import('./key-commands.js')).removeKey(hub, terminal, id);
    });
};

const addTokens = (program: Command): void => {
  const tokens = program.command('token').description('tokens of the API (scope admin)');
  const add = (name: string, description: string): Command =>
    tokens.command(name).description(description).addOption(jsonOption());

  add('create', 'create a token; its text is printed this once')
    .requiredOption('-n, --name <name>', 'who or what uses it')
    .addOption(
      new Option('-s, --scope <scopes...>', 'what it opens').choices([...GRANTABLE_SCOPES]).makeOptionMandatory(),
    )
    .option('-e, --expires <time>', 'its end, such as 2030-01-31T00:00:00Z; without it, none')
    .action(async (options: NewToken & JsonOption) => {
      const { hub, terminal } = connect(options);
      await (await import('./token-commands.js')).createToken(hub, terminal, options);
    });
  add('list', 'all tokens, revoked ones included').action(async (options: JsonOption) => {
    const { hub, terminal } = connect(options);
    await (await import('./token-commands.js')).listTokens(hub, terminal);
  });
  add('revoke', 'end a token for good')
    .argument('<id>', 'id of the token')
    .action(async (id: string, options: JsonOption) => {
      const { hub, terminal } = connect(options);
      await (await import('./token-commands.js')).revokeToken(hub, terminal, id);
    });
};

const createProgram = ({ version, migrate }: CliParts): Command => {
  const program = new Command('hub')
    .description('Works with a running AI Model Hub: its configuration as a document, its keys, its tokens.')
    .version(version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', `${SETTINGS}\n${EXIT_CODES}`);
  addExport(program);
  addImport(program);
  addKeys(program);
  addTokens(program);
  program
    .command('migrate')
    .description('bring the database of DATABASE_URL (or the embedded one) up to date; needs no running hub')
    .action(migrate);
  // Commands that are made afterwards do not inherit it.
  const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];
  for (const command of everyCommand(program)) command.exitOverride();
  return program;
};

/** One line for the user; a stack only for what nobody expected. */
const exitCodeOf = (error: unknown): number => {
  // Commander has said what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const isExpected = error instanceof CliError;
  const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`hub: ${scrub(text)}\n`);
  return isExpected ? error.exitCode : EXIT.refused;
};

/** The command line of the hub. Settings in ./.env count where the environment has none. */
export const runCli = async (parts: CliParts): Promise<void> => {
  // Whoever reads our output may have seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT.refused));
  if (existsSync('.env')) process.loadEnvFile('.env');
  try {
    await createProgram(parts).parseAsync(process.argv);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
};
