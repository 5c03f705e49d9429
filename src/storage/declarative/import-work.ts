import type { Plan } from './plan.js';
import type { Problems } from './problems.js';
import type { SecretResolver } from './secret-resolver.js';

/** What the parts of one import share. */
export interface ImportWork {
  resolver: SecretResolver;
  plan: Plan;
  problems: Problems;
  /** Go on without secrets that are neither sent nor stored. */
  skipMissing: boolean;
}
