import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CALL_PATHS } from '../../contract/paths.js';
import { AuthFailures } from '../../platform/auth/auth-failures.js';
import { refuseToken, tokenOf } from '../../platform/auth/request-token.js';
import { TokenVerifier } from '../../platform/auth/token-verifier.js';

const isCall = (request: FastifyRequest): boolean => CALL_PATHS.some((path) => request.url.startsWith(`/${path}`));

/**
 * The body of a call may be large, and guards come after it is read: here its token is looked at before, so that nobody
 * unknown makes the process hold more than his headers. The guard then finds the identity and checks the scope.
 */
@Injectable()
export class EarlyTokenCheck implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly verifier: TokenVerifier,
    private readonly failures: AuthFailures,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onRequest', (request, _reply, done) => {
      // oxlint-disable-next-line promise/no-callback-in-promise -- a promise for each other route would be waste
      if (isCall(request)) this.identify(request).then(() => done(), done);
      else done();
    });
  }

  private async identify(request: FastifyRequest): Promise<void> {
    const token = tokenOf(request);
    if (token === null) throw refuseToken('token_missing');
    const identity = await this.verifier.verify(token);
    if (!identity) throw this.failures.refuse(request);
    request.identity = identity;
  }
}
