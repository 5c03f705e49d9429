import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyHttpOptions, RawServerDefault } from 'fastify';
import type { Logger } from 'pino';
import { MAX_DOCUMENT_BYTES } from '../../contract/declarative.contract.js';
import { CALL_PATHS, hasAnthropicShape, IMPORT_PATH, INTERNAL_PATH } from '../../contract/paths.js';
import type { Env } from '../config/env.js';
import { AppError } from '../errors/app-error.js';
import { answerFor } from '../errors/error-answers.js';
import type { ErrorFilter } from '../errors/error-filter.js';
import { type AccessLine, logAccess } from '../logging/access-log.js';
import { scrub } from '../logging/scrub.js';
import { beginRequest, endRequest, traceRequests } from '../tracing/request-spans.js';
import type { Span, Tracing } from '../tracing/span.js';
import type { DirectExchange, DirectLane } from './direct-lane.js';
import { hasProperHost } from './host-header.js';
import { HttpTraffic } from './http-traffic.js';
import { type BodyUse, registerBodies } from './json-body.js';

const MEGABYTE = 1024 * 1024;
const BODY_LIMIT = MEGABYTE;
const IMPORT_ROUTE = `/${IMPORT_PATH}`;
const USAGE_PATH = `/${INTERNAL_PATH}/usage`;
/** A thousand records with the longest texts in the widest characters are less than half of it. */
const USAGE_BODY_LIMIT = 8 * MEGABYTE;
const REQUEST_ID = /^[\w.-]{1,64}$/;
const MAX_CONNECTIONS = 10_000;
const MAX_HEADER_BYTES = 16_384;
/** Longer than a load balancer keeps its connections (60 s), so that it is never we who close first. */
const KEEP_ALIVE_MILLISECONDS = 65_000;
const REQUEST_MILLISECONDS = 120_000;
/** A head is one packet or two: who takes longer keeps connections busy on purpose. */
const HEAD_MILLISECONDS = 30_000;
/** As long to take an answer as to send a request. */
const STALLED_MILLISECONDS = REQUEST_MILLISECONDS;
const CHECK_MILLISECONDS = 5_000;

const isCallPath = (url: string): boolean => CALL_PATHS.some((path) => url.startsWith(`/${path}`));

/**
 * A call's body is large: it is parsed when its caller is known, and passed on as bytes. A document is read by the
 * import itself. Usage has a checker of its own.
 */
const bodyUseOf = (url: string): BodyUse => {
  if (isCallPath(url) || url.startsWith(IMPORT_ROUTE)) return 'bytes';
  return url === USAGE_PATH ? 'unwalked' : 'parsed';
};

const requestIdOf = (header: string | string[] | undefined): string =>
  typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();

/** Under the name that clients of the path look for, and on the response itself: a call is answered past Fastify. */
const tellRequestId = ({ url, id }: FastifyRequest, { raw }: FastifyReply): void => {
  raw.setHeader('x-request-id', id);
  if (hasAnthropicShape(url.split('?', 1)[0] ?? '')) raw.setHeader('request-id', id);
};

const answerEarly = (error: AppError, request: FastifyRequest, reply: FastifyReply): void => {
  tellRequestId(request, reply);
  const { contentType, body } = answerFor(error, request.url.split('?', 1)[0] ?? '/', request.id);
  void reply
    .status(error.status)
    .headers({ 'content-type': contentType, 'cache-control': 'no-store' })
    .send(JSON.stringify(body));
};

const BAD_HOST = new AppError('malformed_request', { detail: 'Send exactly one Host header: a name or an address.' });
const BAD_EXPECTATION = new AppError('malformed_request', {
  status: 417,
  detail: 'Expect can be 100-continue, or must not be sent.',
});

/** Answers before anything is done, and hangs up: what follows on such a connection is not to be trusted. */
const refuseOnce = (request: IncomingMessage, response: ServerResponse, error: AppError): void => {
  const requestId = requestIdOf(request.headers['x-request-id']);
  const { contentType, body } = answerFor(error, pathIn(request.url), requestId);
  const text = JSON.stringify(body);
  response.writeHead(error.status, {
    'x-request-id': requestId,
    'request-id': requestId,
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(text);
};

const pathIn = (url = '/'): string => url.split('?', 1)[0] || '/';

type Listener = Parameters<HttpTraffic['createServer']>[1];

const createHttpServer = (traffic: HttpTraffic, lane: DirectLane, handle: Listener): Server => {
  const server = traffic.createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEAD_MILLISECONDS,
      requestTimeout: REQUEST_MILLISECONDS,
      connectionsCheckingInterval: CHECK_MILLISECONDS,
      keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
      // Ours is stricter, and answers in our shape.
      requireHostHeader: false,
    },
    (request, response) => {
      if (!hasProperHost(request)) return refuseOnce(request, response, BAD_HOST);
      if (!lane.take(request, response)) handle(request, response);
    },
  );
  server.on('checkExpectation', (request, response) => refuseOnce(request, response, BAD_EXPECTATION));
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = STALLED_MILLISECONDS;
  return server;
};

const openLane = (lane: DirectLane, logger: Logger, errors: ErrorFilter, tracing: Tracing | null): void =>
  lane.use({
    newRequestId: ({ headers }) => requestIdOf(headers['x-request-id']),
    // What the lane takes is exactly the path of a route.
    newSpan: tracing && (({ headers, url }) => beginRequest(tracing, { method: 'POST', headers, route: url })),
    over: (exchange) => finish(logger, lineOf(exchange), exchange.span),
    fail: (error, exchange) => {
      const { status, headers, body } = errors.describe(error, exchange);
      if (exchange.raw.headersSent) return;
      exchange.raw.writeHead(status, {
        'x-request-id': exchange.id,
        ...headers,
        'content-length': Buffer.byteLength(body),
      });
      exchange.raw.end(body);
    },
  });

/** A request is over, however it was answered. */
const finish = (logger: Logger, line: AccessLine, span: Span | null | undefined): void => {
  if (span) endRequest(span, line);
  logAccess(logger, line);
};

const lineOf = ({ id, method, url, raw, elapsedTime, identity, call, span }: DirectExchange): AccessLine => ({
  id,
  method,
  path: url,
  status: raw.statusCode,
  milliseconds: elapsedTime,
  tokenId: identity.tokenId,
  call,
  traceId: span?.traceId,
});

const STATUS_OF_PARSER: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** What Node's parser refuses never becomes a request: it is answered on the socket, in the same shape. */
const answerUnparsed = ({ code }: { code?: string }, socket: Socket): void => {
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = STATUS_OF_PARSER[code ?? ''] ?? 400;
  const requestId = randomUUID();
  const { contentType, body } = answerFor(new AppError('malformed_request', { status }), '/', requestId);
  const text = JSON.stringify(body);
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nx-request-id: ${requestId}\r\ncontent-type: ${contentType}\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
  socket.destroySoon();
};

/** Fastify with our limits and hooks, for Nest to run on; calls that are in order go past it. */
export const createHttpAdapter = (
  env: Env,
  logger: Logger,
  lane: DirectLane,
  errors: ErrorFilter,
  traffic = new HttpTraffic(),
  tracing: Tracing | null = null,
): FastifyAdapter => {
  openLane(lane, logger, errors, tracing);
  const options: FastifyHttpOptions<RawServerDefault> = {
    bodyLimit: BODY_LIMIT,
    serverFactory: (handle) => createHttpServer(traffic, lane, handle),
    forceCloseConnections: 'idle',
    // What arrives in the last moment is answered as ever, in the shape of its path.
    return503OnClosing: false,
    trustProxy: false,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
    frameworkErrors: (_error, request, reply) => answerEarly(new AppError('malformed_request'), request, reply),
    clientErrorHandler: answerUnparsed,
  };
  const adapter = new FastifyAdapter(options);
  const server = adapter.getInstance<FastifyInstance>();
  registerBodies(server, { useOf: bodyUseOf, yamlRoutes: [IMPORT_ROUTE] });
  server.addHook('onRoute', (route) => {
    if (isCallPath(route.url)) route.bodyLimit = env.MAX_CALL_BODY_MB * MEGABYTE;
    if (route.url === IMPORT_ROUTE) route.bodyLimit = MAX_DOCUMENT_BYTES;
    if (route.url === USAGE_PATH) route.bodyLimit = USAGE_BODY_LIMIT;
  });
  if (tracing) traceRequests(server, tracing);
  server.addHook('onRequest', (request, reply, done) => {
    tellRequestId(request, reply);
    if (request.url.includes('%00'))
      answerEarly(new AppError('malformed_request', { detail: 'The address contains NUL.' }), request, reply);
    else done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    const { id, method, identity, call, span } = request;
    const line: AccessLine = {
      id,
      method,
      path: pathOf(request),
      status: reply.raw.statusCode,
      milliseconds: reply.elapsedTime,
      tokenId: identity?.tokenId,
      call,
      traceId: span?.traceId,
    };
    finish(logger, line, span);
    done();
  });
  return adapter;
};

/** A path without parameters is the route's own, and has nothing to hide. */
const pathOf = (request: FastifyRequest): string =>
  request.url === request.routeOptions.url ? request.url : scrub(request.url.split('?', 1)[0] ?? '');
