import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import { type Env, readEnv } from '../platform/config/env.js';
import { StartupError } from '../platform/errors/startup-error.js';
import { createLogger } from '../platform/logging/logger.js';
import { scrub } from '../platform/logging/scrub.js';
import type { HubApplication } from './create-app.js';
import { ProcessEnd } from './process-end.js';
import { PRODUCT } from './product.js';
import type { StopSignal } from './stop-signal.js';

const HELP = `${PRODUCT.name} ${PRODUCT.version}

Usage: npm start            start with the settings of the environment and of ./.env
       npm run migrate      bring the database of DATABASE_URL up to date and exit
       npm run demo         show what it does, with a simulated provider

Settings: every variable is described in .env.example.
Signals:    SIGTERM and SIGINT (Ctrl-C) stop it in order: not ready and still serving for a moment, open calls end,
            their usage is delivered, the database closes last; within SHUTDOWN_TIMEOUT seconds (10). The same again:
            quicker, open calls are told to come again.
Exit codes: 0 stopped as asked, 69 something needed is not there, 75 stopped as asked, but something was still open at
            SHUTDOWN_TIMEOUT, 78 a setting is wrong.
`;

/** One line for the operator; a stack only for what nobody expected. */
export const exitWith = (error: unknown): never => {
  const isExpected = error instanceof StartupError;
  const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${PRODUCT.name}: ${scrub(text)}\n`);
  process.exit(isExpected ? error.exitCode : 1);
};

/** Settings in ./.env count where the environment has none. */
export const loadEnvFile = (): void => {
  if (existsSync('.env')) process.loadEnvFile('.env');
};

const announce = (hub: HubApplication, env: Env, url: string, logger: Logger): void => {
  for (const notice of hub.notices(env.PUBLIC_URL ?? url)) logger.info(notice);
  logger.info(`Ready: ${url} (documentation: ${url}/docs, any name and a token as password)`);
};

const start = async (stopSignal: StopSignal): Promise<void> => {
  loadEnvFile();
  const env = readEnv(process.env);
  const logger = createLogger(env);
  const end = new ProcessEnd(stopSignal, logger, env.SHUTDOWN_TIMEOUT, exitWith);
  try {
    await createAndListen(env, logger, stopSignal, end);
  } catch (error) {
    if (stopSignal.isReceived) await end.giveUp(error);
    throw error;
  }
};

const createAndListen = async (env: Env, logger: Logger, stopSignal: StopSignal, end: ProcessEnd): Promise<void> => {
  if (stopSignal.isReceived) return end.stop();
  // Not before: most of a start is loading the application, and a wrong setting should show at once.
  const { createApp } = await import('./create-app.js');
  const hub = await createApp(env, { logger, onFatal: exitWith, stopping: stopSignal.aborted });
  end.started(hub);
  // What has just been started must be stopped in order.
  if (stopSignal.isReceived) return end.stop();
  announce(hub, env, await hub.listen(), logger);
};

/** Starts the process: reads the environment, creates the application, listens, says where. */
export async function runHub(stopSignal: StopSignal): Promise<void> {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    process.stdout.write(HELP);
    return;
  }
  await start(stopSignal).catch(exitWith);
}
