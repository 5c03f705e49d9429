import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedPostgres, EmbeddedPostgresConnection } from './embedded-postgres-types.js';
import { messageOf } from './embedded-postgres-error.js';
import { bringUp, type OwnedServer, type ServerPlan } from './launcher.js';
import { disconnect } from './owner-connection.js';
import { stopServer } from './server-process.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/**
 * The owner's side of a running server. When the owner session ends, the server crashed or restarted itself, and the
 * lock is gone with it: it is brought up and owned again, or no other process would be kept out.
 */
export class RunningServer implements EmbeddedPostgres {
  readonly connection: EmbeddedPostgresConnection;
  readonly directory: string;
  private owned: OwnedServer | undefined;
  private recoveries = 0;
  private recovery: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private readonly pauseEnd = new AbortController();

  constructor(
    private readonly plan: ServerPlan,
    owned: OwnedServer,
  ) {
    this.connection = owned.connection;
    this.directory = plan.site.directory;
    this.own(owned);
  }

  get isUp(): boolean {
    return this.owned !== undefined;
  }

  get restarts(): number {
    return this.recoveries;
  }

  async stop(): Promise<void> {
    this.stopping ??= this.shutDown();
    await this.stopping;
  }

  private async shutDown(): Promise<void> {
    this.pauseEnd.abort();
    await this.recovery;
    const owned = this.owned;
    // Not ours: another process took over, or nothing runs.
    if (!owned) return;
    await stopServer(this.plan.site.cluster);
    await disconnect(owned.owner);
  }

  private own(owned: OwnedServer): void {
    this.owned = owned;
    owned.owner.once('end', () => {
      this.owned = undefined;
      if (!this.stopping) this.recovery = this.recover();
    });
  }

  private async recover(): Promise<void> {
    this.plan.report('The embedded database went away; bringing it back…');
    for (let pause = FIRST_PAUSE_MS; !this.stopping; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        this.own(await bringUp(this.plan));
        this.recoveries += 1;
        this.plan.report('The embedded database is back.');
        return;
      } catch (error) {
        this.plan.report(messageOf(error));
        await sleep(pause, undefined, { signal: this.pauseEnd.signal }).catch(() => undefined);
      }
    }
  }
}
