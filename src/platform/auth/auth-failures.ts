import { Injectable, Logger } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import type { FastifyRequest } from 'fastify';
import { Env } from '../config/env.js';
import { AppError } from '../errors/app-error.js';
import { refuseToken, type TokenOptions } from './request-token.js';

const MINUTE = 60_000;
/** More addresses than ever fail at once; beyond that the oldest is forgotten. */
const MAX_ADDRESSES = 10_000;

interface Bucket {
  /** Failures that are still free. */
  left: number;
  /** By `performance.now()`: a clock that is set back must lock nobody out. */
  at: number;
  isTold: boolean;
}

/** Whoever has one IPv6 address has 2^64 of them. */
const networkOf = (address: string): string => {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv6' ? parsed.toByteArray().slice(0, 8).join('.') : parsed.toString();
};

/**
 * Counts refused tokens per address. Who fails too often is told to wait; a valid token is never refused for it, since
 * behind one proxy all callers have one address.
 */
@Injectable()
export class AuthFailures {
  private readonly logger = new Logger('Auth');
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly env: Env) {}

  /** The answer to a token that is not valid: 401, or 429 with `Retry-After` when there were too many of them. */
  refuse(request: Pick<FastifyRequest, 'ip'>, options: TokenOptions = {}): AppError {
    const network = networkOf(request.ip);
    const bucket = this.refill(network);
    if (bucket.left >= 1) {
      bucket.left -= 1;
      return refuseToken('token_invalid', options);
    }
    this.tellOnce(network, bucket);
    const seconds = Math.ceil(60 / this.env.AUTH_FAILURES_PER_MINUTE);
    return new AppError('too_many_attempts', {
      detail: 'Too many tokens from this address were not valid. Check the token before the next attempt.',
      headers: { 'retry-after': String(seconds), 'x-should-retry': 'false' },
    });
  }

  private refill(network: string): Bucket {
    const limit = this.env.AUTH_FAILURES_PER_MINUTE;
    const now = performance.now();
    const known = this.buckets.get(network) ?? { left: limit, at: now, isTold: false };
    // The newest go to the end, so that the first is the one that has been quiet for longest.
    this.buckets.delete(network);
    if (this.buckets.size >= MAX_ADDRESSES) this.buckets.delete(this.buckets.keys().next().value as string);
    const left = Math.min(limit, known.left + ((now - known.at) * limit) / MINUTE);
    const bucket = { left, at: now, isTold: known.isTold && left < limit };
    this.buckets.set(network, bucket);
    return bucket;
  }

  private tellOnce(network: string, bucket: Bucket): void {
    if (bucket.isTold) return;
    bucket.isTold = true;
    this.logger.warn({
      msg: 'Too many invalid tokens from one address; answering 429 to them for now',
      address: network,
    });
  }
}
