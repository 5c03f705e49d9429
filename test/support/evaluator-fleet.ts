import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { EVALUATION_LOCK } from '../../src/storage/alert/evaluation/alert-evaluator.js';
import { exitOf } from './hub-process.js';

const SCRIPT = fileURLToPath(new URL('./alert-evaluator.js', import.meta.url));
/** Asked again like the next tick of a storage process, only sooner. */
const ASK_AGAIN_MILLISECONDS = 25;
const DEADLINE_MILLISECONDS = 60_000;

/** Who holds the lock of the evaluation: the name of a process. */
const HOLDER = `SELECT application_name AS name FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE locktype = 'advisory' AND granted AND datname = current_database()
    AND ((classid::bigint << 32) | objid::bigint) = ${EVALUATION_LOCK}`;

/** Several processes that evaluate alerts of one database by the clock they are told. */
export class EvaluatorFleet {
  private readonly members = new Map<string, ChildProcess>();
  private evaluatedTo = 0;
  private started = 0;
  kills = 0;

  private constructor(
    private readonly databaseUrl: string,
    private readonly watcher: pg.Client,
  ) {}

  static async start(databaseUrl: string, size: number): Promise<EvaluatorFleet> {
    const watcher = new pg.Client({ connectionString: databaseUrl });
    await watcher.connect();
    const fleet = new EvaluatorFleet(databaseUrl, watcher);
    await Promise.all(Array.from({ length: size }, () => fleet.add()));
    return fleet;
  }

  /** Resolves when every minute up to that one is evaluated. */
  async evaluate(now: Date, end: Date): Promise<void> {
    const deadline = performance.now() + DEADLINE_MILLISECONDS;
    while (this.evaluatedTo < end.getTime()) {
      if (performance.now() > deadline) throw new Error(`Nobody evaluated the minute to ${end.toISOString()}`);
      for (const child of this.members.values()) child.send(now.getTime());
      await this.untilEvaluated(end);
    }
  }

  /**
   * The same, and meanwhile the process that is at it is killed, so many milliseconds after it was seen to be. Answers whether one was.
   */
  async evaluateAndKill(now: Date, end: Date, milliseconds: number): Promise<boolean> {
    const [wasKilled] = await Promise.all([this.killHolder(milliseconds, end), this.evaluate(now, end)]);
    return wasKilled;
  }

  /** The same, and the process that is at it stands still from then on; null: it was too quick. Answers what lets it go on. */
  async evaluateAndFreeze(now: Date, end: Date): Promise<(() => void) | null> {
    const freeze = async (): Promise<ChildProcess | null> => {
      const holder = await this.holder(end);
      holder?.child.kill('SIGSTOP');
      return holder?.child ?? null;
    };
    const [frozen] = await Promise.all([freeze(), this.evaluate(now, end)]);
    return frozen && (() => void frozen.kill('SIGCONT'));
  }

  async stop(): Promise<void> {
    for (const child of this.members.values()) child.kill('SIGKILL');
    await this.watcher.end();
  }

  private async killHolder(milliseconds: number, end: Date): Promise<boolean> {
    const holder = await this.holder(end);
    if (!holder) return false;
    if (milliseconds >= 1) await sleep(milliseconds);
    holder.child.kill('SIGKILL');
    await exitOf(holder.child);
    this.members.delete(holder.name);
    this.kills += 1;
    // It comes back while the others go on.
    void this.add();
    return true;
  }

  /** The process that is at it; null: the minute was evaluated before one was seen. */
  private async holder(end: Date): Promise<{ name: string; child: ChildProcess } | null> {
    while (this.evaluatedTo < end.getTime()) {
      const { rows } = await this.watcher.query<{ name: string }>(HOLDER);
      const name = rows[0]?.name ?? '';
      const child = this.members.get(name);
      if (child) return { name, child };
    }
    return null;
  }

  private async untilEvaluated(end: Date): Promise<void> {
    const again = performance.now() + ASK_AGAIN_MILLISECONDS;
    while (this.evaluatedTo < end.getTime() && performance.now() < again) await sleep(1);
  }

  private async add(): Promise<void> {
    this.started += 1;
    const name = `evaluator ${this.started}`;
    const child = fork(SCRIPT, {
      env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: this.databaseUrl, NAME: name },
    });
    await once(child, 'message');
    child.on('message', ({ evaluatedTo }: { evaluatedTo: number }) => {
      this.evaluatedTo = Math.max(this.evaluatedTo, evaluatedTo);
    });
    // A message to one that was killed just now is lost, like everything else it had.
    child.on('error', () => undefined);
    this.members.set(name, child);
  }
}
