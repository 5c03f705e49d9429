import type { FastifyReply, FastifyRequest } from 'fastify';
import { languageOf } from '../../platform/http/accept-language.js';
import { askerOf } from '../calls/asker.js';
import type { TestAsker } from './connection-test.service.js';

/** Who asks for a test: counted as one, whatever his headers say. */
export const testAskerOf = (request: FastifyRequest, reply: FastifyReply): TestAsker => {
  const leaving = new AbortController();
  // On the response: the request's own 'close' comes as soon as its body is read.
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) leaving.abort();
  });
  return {
    asker: { ...askerOf(request, reply), source: 'test' },
    left: leaving.signal,
    language: languageOf(request.headers['accept-language']),
  };
};
