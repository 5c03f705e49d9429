import type { Fleet } from './fleet.js';

const LOOK_MILLISECONDS = 100;

/** Looks all the time at the revision that each AI model process answers from. */
export class RevisionRecord {
  /** Revisions that were lower than one that the same process had before. */
  readonly backwards: string[] = [];
  samples = 0;
  /** How often one had moved. */
  steps = 0;
  private readonly highest = new Map<number, number>();
  private readonly timer: NodeJS.Timeout;
  private isLooking = false;

  constructor(private readonly fleet: Fleet) {
    this.timer = setInterval(() => void this.look(), LOOK_MILLISECONDS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    // One that is frozen holds the others' samples up, no more.
    if (this.isLooking) return;
    this.isLooking = true;
    await Promise.all(this.fleet.callers.map((_caller, number) => this.lookAt(number)));
    this.isLooking = false;
  }

  private async lookAt(number: number): Promise<void> {
    const { member } = this.fleet.caller(number);
    const { pid } = member;
    const revision = await this.fleet.revisionOf(number);
    // Nothing known, or another process by now.
    if (revision === null || member.pid !== pid) return;
    const before = this.highest.get(pid) ?? 0;
    this.samples += 1;
    if (revision > before) this.steps += 1;
    if (revision < before) this.backwards.push(`${member.name}: ${revision} after ${before}`);
    this.highest.set(pid, Math.max(before, revision));
  }
}
