import { Injectable } from '@nestjs/common';

/** `down`: nothing can be served without it; `degraded`: something is missing, but calls are answered. */
export interface DependencyHealth {
  status: 'up' | 'degraded' | 'down';
  [detail: string]: unknown;
}

export type HealthCheck = () => DependencyHealth | Promise<DependencyHealth>;

export interface Readiness {
  status: 'ready' | 'degraded' | 'not_ready';
  dependencies: Record<string, DependencyHealth>;
}

const CHECK_MILLISECONDS = 1000;

const withDeadline = async (check: HealthCheck): Promise<DependencyHealth> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DependencyHealth>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'down', reason: 'no answer in time' }), CHECK_MILLISECONDS);
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return { status: 'down', reason: 'check failed' };
  } finally {
    clearTimeout(timer);
  }
};

/** Each part of the process says here how its dependency is; readiness is the worst of them. */
@Injectable()
export class HealthRegistry {
  private readonly checks = new Map<string, HealthCheck>();
  private isDraining = false;

  register(name: string, check: HealthCheck): void {
    this.checks.set(name, check);
  }

  /** From now on not ready: load balancers send nothing new while what is under way ends. */
  startDraining(): void {
    this.isDraining = true;
  }

  async readiness(): Promise<Readiness> {
    const found = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await withDeadline(check)] as const),
    );
    const states = found.map(([, health]) => health.status);
    const isDown = this.isDraining || states.includes('down');
    const status = isDown ? 'not_ready' : states.includes('degraded') ? 'degraded' : 'ready';
    return { status, dependencies: Object.fromEntries(found) };
  }
}
