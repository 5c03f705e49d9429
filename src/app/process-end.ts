import type { Logger } from 'pino';
import type { HubApplication } from './create-app.js';
import type { StopSignal } from './stop-signal.js';

/** EX_TEMPFAIL of sysexits.h: stopped as asked, but not all of it had ended when the time was up. */
export const EXIT_CUT_SHORT = 75;

/** What the process does on a signal, wherever it is in its life: it always ends, and within its limit. */
export class ProcessEnd {
  private hub: HubApplication | null = null;

  /** @param seconds from the signal to the exit */
  constructor(
    private readonly signal: StopSignal,
    private readonly logger: Logger,
    private readonly seconds: number,
    private readonly fail: (error: unknown) => never,
  ) {
    signal.onReceived((name) => this.begin(name));
    signal.onRepeated(() => {
      this.logger.info('Asked again to stop: open calls are told, nothing else is waited for longer than it must be');
      this.hub?.hurry();
    });
  }

  /** What is to be stopped from now on. */
  started(hub: HubApplication): void {
    this.hub = hub;
  }

  /** Of a start that was asked to stop, and of a running hub. */
  async stop(): Promise<never> {
    const closing = this.hub?.close({ milliseconds: this.left, notice: true });
    if (this.signal.isRepeated) this.hub?.hurry();
    const stillOpen = await closing?.catch(this.fail);
    return this.exit(stillOpen ?? []);
  }

  /** A start that fails after the signal, such as an initdb that was ended by the same Ctrl-C, has stopped as asked. */
  giveUp(error: unknown): Promise<never> | never {
    // What was built already is being stopped, and that is why the rest failed.
    if (this.hub) return this.stop();
    this.logger.info({ msg: 'The start was given up', reason: error instanceof Error ? error.message : String(error) });
    return this.exit([]);
  }

  private get left(): number {
    return Math.max(0, this.seconds * 1000 - this.signal.age);
  }

  private begin(name: NodeJS.Signals): void {
    this.logger.info(`${name}: stopping within ${this.seconds} s`);
    // The shutdown has limits of its own; this one holds for a start, too, and for what nobody thought of.
    setTimeout(() => this.exit([this.hub ? 'the shutdown' : 'the start']), this.left);
    for (const event of ['uncaughtException', 'unhandledRejection'] as const)
      process.on(event, (error: unknown) =>
        this.logger.error({ msg: 'An error during the shutdown, which goes on', err: error }),
      );
    if (this.hub) void this.stop();
  }

  private exit(stillOpen: readonly string[]): never {
    const milliseconds = Math.round(this.signal.age);
    if (stillOpen.length === 0) {
      this.logger.info({ msg: 'Stopped', milliseconds });
      process.exit(0);
    }
    const msg = 'Stopped at SHUTDOWN_TIMEOUT with something still open: raise it if this should have ended by itself';
    this.logger.error({ msg, still_open: stillOpen, milliseconds });
    process.exit(EXIT_CUT_SHORT);
  }
}
