import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { YAML_TYPES } from '../../contract/declarative.contract.js';
import { isPlainObject } from '../../contract/fields.js';
import { AppError } from '../errors/app-error.js';
import { costProblem, MAX_DEPTH, type JsonLimits } from './json-cost.js';

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it arrived, on routes that take JSON or YAML. */
    rawBody?: Buffer;
  }
}

const isGoodText = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/**
 * Says why a value must not reach the services behind, or null: too deep (serialising it would overflow), a key that
 * could change an object's prototype, text that PostgreSQL cannot store.
 */
export const bodyProblem = (value: unknown, maxDepth = MAX_DEPTH, depth = 1): string | null => {
  if (typeof value === 'string')
    return isGoodText(value) ? null : 'Text must not contain NUL or half of a surrogate pair.';
  if (typeof value !== 'object' || value === null) return null;
  if (depth > maxDepth) return `The body must not be nested more than ${maxDepth} levels deep.`;
  for (const [key, entry] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key)) return `The key ${key} is not allowed.`;
    const problem =
      (isGoodText(key) ? null : 'Keys must not contain NUL or half of a surrogate pair.') ??
      bodyProblem(entry, maxDepth, depth + 1);
    if (problem) return problem;
  }
  return null;
};

const parse = (bytes: Buffer): unknown => {
  try {
    if (isUtf8(bytes)) return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's message quotes the body, which may hold a secret.
  }
  throw new AppError('malformed_json', { detail: 'The body is not valid JSON in UTF-8.' });
};

/** Parses JSON, unless reading it would cost far more than its size. */
export const parseJson = (bytes: Buffer, limits?: JsonLimits): unknown => {
  const problem = costProblem(bytes, limits);
  if (problem) throw new AppError('malformed_request', { detail: problem });
  return parse(bytes);
};

/** Parses a JSON object, unless reading it would cost far more than its size. */
export const parseJsonObject = (bytes: Buffer, limits?: JsonLimits): Record<string, unknown> => {
  const value = parseJson(bytes, limits);
  if (isPlainObject(value)) return value;
  throw new AppError('malformed_request', { detail: 'The body must be a JSON object.' });
};

const readBody = (bytes: Buffer, isChecked: boolean): unknown => {
  if (bytes.length === 0) return undefined;
  const value = parseJsonObject(bytes);
  const problem = isChecked ? null : bodyProblem(value);
  if (problem) throw new AppError('malformed_request', { detail: problem });
  return value;
};

/** How a route takes its body: `parsed` and walked through, `unwalked` since it checks every part itself, or as bytes. */
export type BodyUse = 'parsed' | 'unwalked' | 'bytes';

interface BodyRules {
  useOf: (url: string) => BodyUse;
  /** Routes, as the router has them, that take YAML too. */
  yamlRoutes: readonly string[];
}

const isCompressed = (request: FastifyRequest): boolean =>
  (request.headers['content-encoding'] ?? 'identity') !== 'identity';

/**
 * Replaces Fastify's JSON parser: keeps the bytes and refuses compressed bodies. They are parsed when they are first
 * asked for, which is after the guard: nobody without a token makes the process parse what he sent.
 */
export const registerBodies = (server: FastifyInstance, { useOf, yamlRoutes }: BodyRules): void => {
  server.removeAllContentTypeParsers();
  const keepBytes = (types: readonly string[], isTaken: (request: FastifyRequest) => boolean): void => {
    server.addContentTypeParser([...types], { parseAs: 'buffer' }, (request, body, done) => {
      if (isCompressed(request) || !isTaken(request)) return done(new AppError('unsupported_media_type'));
      request.rawBody = body as Buffer;
      done(null);
    });
  };
  keepBytes(['application/json'], () => true);
  keepBytes(YAML_TYPES, (request) => yamlRoutes.includes(request.routeOptions.url ?? ''));
  server.addHook('preHandler', (request, _reply, done) => {
    const { rawBody } = request;
    const use = useOf(request.url);
    if (rawBody && use !== 'bytes') readLater(request, () => readBody(rawBody, use === 'unwalked'));
    done();
  });
};

const readLater = (request: FastifyRequest, read: () => unknown): void => {
  let value: unknown;
  let isRead = false;
  Object.defineProperty(request, 'body', {
    configurable: true,
    get: () => {
      if (!isRead) value = read();
      isRead = true;
      return value;
    },
  });
};
