import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { AccessLine } from '../logging/access-log.js';
import type { Span, Tracing } from './span.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a request that is traced. */
    span?: Span;
  }
}

/** A request as it arrives; `route`: its path with names in the place of values, undefined: there is none. */
interface ArrivingRequest {
  method: string;
  headers: IncomingHttpHeaders;
  route: string | undefined;
}

const NO_REQUESTS_OF_PEOPLE = ['/health', '/metrics', '/internal/'];

/**
 * Begins the span of a request that this process answers. Polls and probes have none of their own; where they are part of
 * somebody's request they do. The path itself is not told: it may name anything.
 */
export const beginRequest = (tracing: Tracing, { method, headers, route }: ArrivingRequest): Span | null =>
  tracing.begin({
    name: route === undefined ? method : `${method} ${route}`,
    headers,
    fields: { 'http.request.method': method, 'http.route': route },
    onlyWithin: route !== undefined && NO_REQUESTS_OF_PEOPLE.some((path) => route.startsWith(path)),
  });

/** The request of this line is over. What the hub refused has its code already, see ErrorFilter. */
export const endRequest = (span: Span, { status, tokenId, call }: AccessLine): void => {
  span.describe({ 'http.response.status_code': status, 'hub.token.id': tokenId });
  const outcome = call?.outcome ?? 'ok';
  if (outcome !== 'ok') span.end(outcome);
  else span.end(status >= 500 ? String(status) : null);
};

/** Traces the requests that go through the framework. */
export const traceRequests = (server: FastifyInstance, tracing: Tracing): void => {
  server.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, routeOptions } = request;
    const span = beginRequest(tracing, { method, headers, route: routeOptions.url });
    if (span) request.span = span;
    done();
  });
};
