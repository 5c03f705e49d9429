import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** This process, as others know it. */
export class ThisInstance {
  /** Another one after each start. */
  readonly id = randomUUID();
  readonly startedAt = new Date();
  /** Name of the machine or container. */
  readonly host = hostname().slice(0, 255) || 'unknown';

  /** @param version of the product */
  constructor(readonly version: string) {}
}
