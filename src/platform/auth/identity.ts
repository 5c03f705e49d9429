import type { CallLine } from '../logging/access-log.js';
import type { Scope } from '../../contract/scopes.js';

/** Who made a request, as far as its token tells. */
export interface Identity {
  tokenId: string;
  scopes: ReadonlySet<Scope>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the scope guard on every route that needs a token. */
    identity?: Identity;
    /** Of a call of a model, for the log. */
    call?: CallLine;
  }
}
