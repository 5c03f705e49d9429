import type { FastifyReply } from 'fastify';
import { invalidFields } from '../errors/app-error.js';

/** Strong ETag of a version number: `"7"`. */
export const etagOf = (version: number): string => `"${version}"`;

const LIST = /^\s*(?:W\/)?"[^"]{0,100}"(?:\s*,\s*(?:W\/)?"[^"]{0,100}")*\s*$/;
const entries = (header: string): string[] => header.split(',').map((entry) => entry.trim());

/** Tells whether `If-None-Match` names this ETag: the caller has it already and gets 304. Weakness does not matter here. */
export const isNotModified = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' || entries(header).some((entry) => entry.replace(/^W\//, '') === etag));

/**
 * Reads `If-Match`: null when the caller set no condition, else a test of the ETag. Weak tags never match (RFC 9110).
 * Throws `validation_failed` for something that is no list of ETags, so that a typing error is not taken for a conflict.
 */
export const readIfMatch = (header: string | undefined): ((etag: string) => boolean) | null => {
  if (header === undefined) return null;
  if (header.trim() === '*') return () => true;
  if (!LIST.test(header)) {
    throw invalidFields({
      field: 'If-Match',
      message: 'If-Match must be the ETag as it was given, quotes included, such as "7"',
    });
  }
  const accepted = new Set(entries(header));
  return (etag) => accepted.has(etag);
};

/** Gives an answer its ETag; 304 and nothing when the caller has it already. */
export const sendTagged = <Answer>(
  reply: FastifyReply,
  answer: Answer,
  etag: string,
  ifNoneMatch?: string,
): Answer | undefined => {
  reply.header('etag', etag);
  if (!isNotModified(ifNoneMatch, etag)) return answer;
  reply.status(304);
  return undefined;
};
