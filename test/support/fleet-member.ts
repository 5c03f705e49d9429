import { exitOf, startHubProcess, type HubProcess } from './hub-process.js';
import { freePort } from './sockets.js';

/** One of several processes: always at the same address and with the same data, however often it ends and starts again. */
export class Member {
  private readonly lives: HubProcess[] = [];

  private constructor(
    readonly name: string,
    readonly url: string,
    private readonly env: Record<string, string>,
  ) {}

  static async start(name: string, env: Record<string, string>): Promise<Member> {
    const port = String(await freePort());
    const member = new Member(name, `http://127.0.0.1:${port}`, { ...env, PORT: port });
    await member.start();
    return member;
  }

  /** Resolves when it says that it is ready. */
  async start(): Promise<void> {
    this.lives.push(await startHubProcess(this.env));
  }

  /** Resolves when it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this.life;
    child.kill(signal);
    await exitOf(child);
  }

  /** It takes connections, and does nothing. */
  freeze(): void {
    this.life.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.life.child.kill('SIGCONT');
  }

  /** Another one in each life. */
  get pid(): number {
    return this.life.child.pid as number;
  }

  /** Everything it said, in all its lives. */
  get output(): string {
    return this.lives.map(({ output }) => output()).join('');
  }

  private get life(): HubProcess {
    const life = this.lives.at(-1);
    if (!life) throw new Error(`${this.name} was never started`);
    return life;
  }
}
