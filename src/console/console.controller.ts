import { randomBytes } from 'node:crypto';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONSOLE_PATH } from '../contract/console.contract.js';
import { PublicRoute } from '../platform/auth/require-scope.js';
import { AppError } from '../platform/errors/app-error.js';
import { ConsoleFiles } from './console-files.js';

/** Stands in the page where the nonce of an answer goes. */
const NONCE_PLACE = '__CSP_NONCE__';
const NONCE_BYTES = 18;

/** Nothing from elsewhere, no inline script; styles that the page makes itself carry the nonce of this very answer. */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "media-src 'self' blob: data:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const SAFE = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** The console's page and what it is made of. It holds no data: all of it comes from the API, with a session. */
@ApiExcludeController()
@PublicRoute()
@Controller(CONSOLE_PATH)
export class ConsoleController {
  constructor(private readonly files: ConsoleFiles) {}

  @Get('assets/:name')
  asset(@Param('name') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const file = this.files.asset(name);
    if (!file) throw new AppError('route_not_found');
    const isPacked = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    void reply
      .headers({ ...SAFE, 'content-type': file.type, 'cache-control': 'public, max-age=31536000, immutable' })
      .headers({ vary: 'accept-encoding', ...(isPacked && { 'content-encoding': 'gzip' }) })
      .send(isPacked ? file.packed : file.bytes);
  }

  /** Every address of the console is the same page. */
  @Get(['', '*'])
  page(@Param('*') path: string | undefined, @Res() reply: FastifyReply): void {
    // Another spelling of the API's address must not look as if it were there.
    if (path !== undefined && /^[/\\]*session/i.test(path)) throw new AppError('route_not_found');
    if (this.files.page === null) throw new AppError('route_not_found', { detail: 'This build has no console.' });
    const nonce = randomBytes(NONCE_BYTES).toString('base64');
    void reply
      .headers({ ...SAFE, 'content-security-policy': policy(nonce), 'cache-control': 'no-cache' })
      .type('text/html; charset=utf-8')
      .send(this.files.page.replaceAll(NONCE_PLACE, nonce));
  }
}
