import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Scope } from '../../contract/scopes.js';
import { AppError, invalidFields } from '../errors/app-error.js';

/** A request that may be sent again: the same key and content are carried out once. */
export interface RepeatableRequest {
  /** `Idempotency-Key`, the caller's own. */
  key: string;
  /** SHA-256 (hex) of method, path and body: another content under the same key is a mistake. */
  sha256: string;
}

/** Who makes a change, and in which request. */
export interface Author {
  tokenId: string;
  scopes: ReadonlySet<Scope>;
  requestId: string | null;
  /** null: the caller did not ask for it. */
  repeatable: RepeatableRequest | null;
}

const KEY_FORM = /^[\x21-\x7e]{1,200}$/;

const repeatableOf = (request: FastifyRequest): RepeatableRequest | null => {
  const key = request.headers['idempotency-key'];
  if (key === undefined || request.method !== 'POST') return null;
  if (typeof key !== 'string' || !KEY_FORM.test(key)) {
    const message = 'Idempotency-Key must be 1 to 200 printable ASCII characters without spaces, such as a UUID';
    throw invalidFields({ field: 'Idempotency-Key', message });
  }
  const digest = createHash('sha256').update(`${request.method} ${request.url}\0`);
  return { key, sha256: digest.update(request.rawBody ?? '').digest('hex') };
};

/** The author of a request, on a route that needs a token. */
export const authorOf = (request: FastifyRequest): Author => {
  const { identity } = request;
  if (!identity) throw new AppError('token_missing');
  return { ...identity, requestId: request.id, repeatable: repeatableOf(request) };
};

/** Hands the {@link Author} to a handler. */
export const CurrentAuthor = createParamDecorator((_data: unknown, context: ExecutionContext): Author =>
  authorOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** Documents that a route can be repeated. */
export const IdempotencyKeyHeader = (): MethodDecorator =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'Sent again with the same content within 24 hours, the first answer is given and nothing is done twice',
  });
