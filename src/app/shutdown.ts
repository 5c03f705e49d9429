import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthRegistry } from '../platform/health/health-registry.js';
import type { HttpTraffic } from '../platform/http/http-traffic.js';
import { Ending, type EndingPhase } from '../platform/lifecycle/ending.js';
import type { Tracing } from '../platform/tracing/span.js';
import type { ServicePart } from './roles.js';

/** What a shutdown ends. */
export interface RunningHub {
  readonly nest: NestFastifyApplication;
  readonly parts: readonly ServicePart[];
  readonly traffic: HttpTraffic;
  readonly tracing: Tracing | null;
  /** The parts reach each other through the listener: it closes when they are done. */
  readonly talksToItself: boolean;
}

export interface CloseOptions {
  /** From now to the end. */
  milliseconds: number;
  /** Whether clients and load balancers get a moment to go elsewhere, in which everything is still served. */
  notice: boolean;
}

const CLOSE_IDLE_MILLISECONDS = 50;
/** A collector that hangs keeps no process from its end for longer. */
const MOST_TRACING_MILLISECONDS = 1000;
/** The limit of the last phase is that of the process. */
const TRACING_SHARE = 0.5;

/** The end of a process: one sequence, each step of it bounded, whatever fails or hangs. */
export class Shutdown {
  private readonly logger = new Logger('Shutdown');
  private ending: Ending | null = null;
  private running: Promise<string[]> | null = null;
  private closingConnections: Promise<void> | null = null;
  private step = '';
  /** Steps that were not waited for any longer, and have not ended since. */
  private readonly late = new Set<string>();
  private readonly failures: unknown[] = [];

  constructor(private readonly hub: RunningHub) {}

  /**
   * Ends everything in order; the second call waits for the first. Answers what was still open when the time was up,
   * nothing when all of it ended. Throws what a step failed with, after the others.
   */
  run({ milliseconds, notice }: CloseOptions): Promise<string[]> {
    this.ending ??= new Ending(milliseconds);
    this.running ??= this.withinLimit(this.ending, notice);
    return this.running;
  }

  /** Nobody wants to wait: no notice, open calls are told at once. */
  hurry(): void {
    this.ending?.hurry();
  }

  /** Between the last of the application's own work and its end: nothing new is taken, what was taken is answered. */
  closeConnections(): Promise<void> {
    this.closingConnections ??= this.ending ? this.endTraffic(this.ending) : Promise.resolve();
    return this.closingConnections;
  }

  private async endTraffic(ending: Ending): Promise<void> {
    const { traffic } = this.hub;
    await traffic.stopListening();
    const isOver = (): boolean => traffic.openConnections === 0;
    if (await ending.waitFor('answers', isOver)) return;
    const open = traffic.describeOpen();
    const refused = traffic.refuseUnanswered();
    await ending.waitFor('connections', isOver);
    const cut = traffic.cut();
    if (refused + cut > 0)
      this.logger.warn({ msg: 'Requests did not end in time and were refused or cut', refused, cut, open });
  }

  /** The application asks for its connections to be closed when its parts are ready for it; they may be late. */
  private async closeApplication(ending: Ending): Promise<void> {
    const connections = ending.waitFor('answers', () => this.closingConnections !== null);
    await Promise.all([this.hub.nest.close(), connections.then(() => this.closeConnections())]);
  }

  private async withinLimit(ending: Ending, notice: boolean): Promise<string[]> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<string[]>((resolve) => {
      timer = setTimeout(() => resolve(this.stillOpen()), ending.left('resources'));
    });
    try {
      return await Promise.race([this.end(ending, notice), limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  private stillOpen(): string[] {
    return [...new Set([...this.late, this.step]), ...this.hub.traffic.describeOpen()];
  }

  private async end(ending: Ending, notice: boolean): Promise<string[]> {
    const { nest, parts, traffic, tracing, talksToItself } = this.hub;
    nest.get(HealthRegistry).startDraining();
    traffic.leave();
    if (notice) await this.giveNotice(ending);
    // Who is refused can know that nothing was done, and asks another process.
    if (!talksToItself) await traffic.stopListening();
    const idle = setInterval(() => void traffic.closeIdle(), CLOSE_IDLE_MILLISECONDS);
    if (notice) await ending.waitFor('lastCalls', () => false);
    for (const part of parts) await this.attempt('ending calls', 'answers', () => part.drain?.(nest, ending));
    await this.attempt('closing the application and its connections to the database', 'application', () =>
      this.closeApplication(ending),
    );
    clearInterval(idle);
    // The last requests are over; meanwhile the database is closed, which waits for nothing of it.
    const traces = tracing?.close(Math.min(ending.left('resources') * TRACING_SHARE, MOST_TRACING_MILLISECONDS));
    for (const part of parts) await this.attempt('closing the database', 'resources', () => part.close?.());
    await traces;
    if (this.failures.length > 0) throw this.failures[0];
    return [...this.late];
  }

  private async giveNotice(ending: Ending): Promise<void> {
    const { openConnections: connections, openRequests: requests } = this.hub.traffic;
    this.step = 'giving notice';
    this.logger.log({ msg: 'Not ready any more; still serving for a moment', connections, requests });
    await ending.waitFor('notice', () => false);
  }

  /** Neither a failure nor a hang of one step keeps the next ones from being done. */
  private async attempt(step: string, phase: EndingPhase, work: () => Promise<void> | undefined): Promise<void> {
    this.step = step;
    const ending = this.ending;
    let isOver = false;
    const done = Promise.resolve()
      .then(work)
      .catch((error: unknown) => {
        this.failures.push(error);
        this.logger.error({ msg: `Failed while ${step}; going on`, err: error });
      })
      .finally(() => {
        isOver = true;
        this.late.delete(step);
      });
    const inTime = ending?.waitFor(phase, () => isOver);
    if ((await Promise.race([done.then(() => true), inTime])) !== false) return;
    this.late.add(step);
    this.logger.warn(`Not done in time while ${step}; going on`);
  }
}
