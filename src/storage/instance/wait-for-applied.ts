import { applyDecorators, Injectable, UseInterceptors } from '@nestjs/common';
import type { BeforeApplicationShutdown, CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, mergeMap, type Observable } from 'rxjs';
import { AppError } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import { DatabaseListener } from '../database/database-listener.js';
import { APPLIED_CHANNEL, type Applied, InstanceService } from './instance.service.js';

export const APPLIED_HEADER = 'x-hub-applied';

/** The write stands then, and the answer says how many have it. */
const LONGEST_WAIT_MILLISECONDS = 5000;
/** Reports are told by NOTIFY; should that be lost, they are found by looking. */
const LOOK_MILLISECONDS = 100;

/**
 * `?wait=applied` on a write: the answer comes when every instance that is there answers calls from the change, after five
 * seconds at the latest, and `x-hub-applied` says how many do: `3/4`, or `unknown` when the database could not be asked any more.
 */
@Injectable()
export class WaitForApplied implements NestInterceptor, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();

  constructor(
    private readonly instances: InstanceService,
    private readonly changes: ChangeService,
    private readonly listener: DatabaseListener,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping.abort();
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const { wait } = (http.getRequest<FastifyRequest>().query ?? {}) as { wait?: unknown };
    if (wait === undefined) return next.handle();
    if (wait !== 'applied') {
      const fields = [{ field: 'wait', message: 'wait must be applied, or left out' }];
      throw new AppError('validation_failed', { fields });
    }
    const reply = http.getResponse<FastifyReply>();
    return next.handle().pipe(mergeMap((answer) => from(this.whenApplied(reply).then(() => answer))));
  }

  private async whenApplied(reply: FastifyReply): Promise<void> {
    const state = await this.wait(reply);
    reply.header(APPLIED_HEADER, state ? `${state.applied}/${state.all}` : 'unknown');
  }

  /** Never fails: what is written is written. null: there is no saying how many. */
  private async wait(reply: FastifyReply): Promise<Applied | null> {
    const end = performance.now() + LONGEST_WAIT_MILLISECONDS;
    let revision: number | null = null;
    for (;;) {
      revision ??= await orNull(this.changes.currentRevision());
      const state = revision === null ? null : await orNull(this.instances.countApplied(revision));
      const isOver = performance.now() >= end || this.stopping.signal.aborted || reply.raw.destroyed;
      if (isOver || (state && state.applied >= state.all)) return state;
      await this.nextReport();
    }
  }

  private nextReport(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stopListening();
        resolve();
      };
      const timer = setTimeout(done, LOOK_MILLISECONDS);
      const stopListening = this.listener.on(APPLIED_CHANNEL, done);
    });
  }
}

/** The database may be away for a moment, or until the end of the wait. */
const orNull = <Value>(work: Promise<Value>): Promise<Value | null> => work.catch(() => null);

/** For every route that makes a change. */
export const CanWaitForApplied = (): MethodDecorator =>
  applyDecorators(
    UseInterceptors(WaitForApplied),
    ApiQuery({
      name: 'wait',
      required: false,
      enum: ['applied'],
      description:
        'Answer when every instance answers calls from this change (5 s at most); its header `x-hub-applied` says how many do',
    }),
  );
