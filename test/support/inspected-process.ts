import { readdirSync, readlinkSync } from 'node:fs';
import { WebSocket } from 'undici';
import { startHubProcess, type HubProcess } from './hub-process.js';
import { until } from './calls.js';

const ANSWER_MILLISECONDS = 30_000;
const MEGABYTE = 1024 * 1024;

export interface Holdings {
  /** Megabytes that are in use after a garbage collection. */
  heap: number;
  /** Megabytes of buffers, which are outside of the heap. */
  buffers: number;
  /** Megabytes of the process. */
  resident: number;
  /** Open file descriptors, and those of them that are sockets; Linux only. */
  descriptors: number;
  sockets: number;
}

/** The built application with an inspector, through which its memory is looked at from outside: it knows nothing of it. */
export class InspectedProcess {
  private asked = 0;

  private constructor(
    readonly hub: HubProcess,
    private readonly inspector: WebSocket,
  ) {}

  static async start(env: Record<string, string>): Promise<InspectedProcess> {
    const hub = await startHubProcess({ ...env, NODE_OPTIONS: '--inspect=127.0.0.1:0' });
    const address = await until(
      () => /Debugger listening on (ws:\/\/\S+)/.exec(hub.output())?.[1],
      (found) => found !== undefined,
    );
    const inspector = new WebSocket(address as string);
    await new Promise<void>((resolve, reject) => {
      inspector.addEventListener('open', () => resolve());
      inspector.addEventListener('error', () => reject(new Error(`Nobody answers at ${address}`)));
    });
    return new InspectedProcess(hub, inspector);
  }

  /** What it holds on to once garbage is collected. */
  async holdings(): Promise<Holdings> {
    // What is only reachable from finalizers goes the second time.
    for (let time = 0; time < 2; time += 1) await this.run('HeapProfiler.collectGarbage');
    const { result } = (await this.run('Runtime.evaluate', {
      expression: 'JSON.stringify(process.memoryUsage())',
    })) as { result: { value: string } };
    const { heapUsed, external, rss } = JSON.parse(result.value) as Record<'heapUsed' | 'external' | 'rss', number>;
    const links = this.descriptorLinks();
    return {
      heap: heapUsed / MEGABYTE,
      buffers: external / MEGABYTE,
      resident: rss / MEGABYTE,
      descriptors: links.length,
      sockets: links.filter((link) => link.startsWith('socket:')).length,
    };
  }

  async stop(): Promise<void> {
    this.inspector.close();
    await this.hub.stop();
  }

  private descriptorLinks(): string[] {
    const directory = `/proc/${this.hub.child.pid}/fd`;
    return readdirSync(directory).flatMap((name) => {
      try {
        return [readlinkSync(`${directory}/${name}`)];
      } catch {
        // Closed since.
        return [];
      }
    });
  }

  private run(method: string, params: object = {}): Promise<unknown> {
    const id = (this.asked += 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(() => reject(new Error(`${method}: no answer`))), ANSWER_MILLISECONDS);
      const onMessage = ({ data }: { data: unknown }): void => {
        const answer = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string } };
        if (answer.id !== id) return;
        done(() => (answer.error ? reject(new Error(`${method}: ${answer.error.message}`)) : resolve(answer.result)));
      };
      const done = (end: () => void): void => {
        clearTimeout(timer);
        this.inspector.removeEventListener('message', onMessage);
        end();
      };
      this.inspector.addEventListener('message', onMessage);
      this.inspector.send(JSON.stringify({ id, method, params }));
    });
  }
}
