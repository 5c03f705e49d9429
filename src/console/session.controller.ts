import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Optional, Post, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONSOLE_SESSION_PATH, ConsoleSession, ConsoleSignIn } from '../contract/console.contract.js';
import { AuthFailures } from '../platform/auth/auth-failures.js';
import type { Identity } from '../platform/auth/identity.js';
import { PublicRoute, RequireToken } from '../platform/auth/require-scope.js';
import { CONSOLE_HEADER, SESSION_COOKIE, Sessions } from '../platform/auth/sessions.js';
import { TokenVerifier } from '../platform/auth/token-verifier.js';
import { Env } from '../platform/config/env.js';
import { AppError, invalidFields } from '../platform/errors/app-error.js';
import { ApiProblems } from '../platform/http/api-docs.js';
import { Secret } from '../platform/secrets/secret.js';
import { SignInCode } from './sign-in-code.js';

/** Signing in and out of the console. */
@ApiTags('console')
@Controller(CONSOLE_SESSION_PATH)
export class SessionController {
  constructor(
    private readonly env: Env,
    private readonly sessions: Sessions,
    private readonly verifier: TokenVerifier,
    private readonly failures: AuthFailures,
    @Optional() @Inject(SignInCode) private readonly code: SignInCode | null,
  ) {}

  /** Begin a session; it is in a cookie that scripts cannot read. Needs the header `x-hub-console: 1`. */
  @Post()
  @PublicRoute()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOkResponse({ type: ConsoleSession })
  @ApiProblems(400, 401, 429, 503)
  async signIn(
    @Body() body: ConsoleSignIn,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConsoleSession> {
    const field = {
      field: CONSOLE_HEADER,
      message: `${CONSOLE_HEADER} must be 1: a form of another site cannot send it`,
    };
    if (request.headers[CONSOLE_HEADER] !== '1') throw invalidFields(field);
    const token = this.tokenOf(body);
    const identity = token && (await this.verifier.verify(token.reveal()));
    // The service token is for services.
    if (!token || !identity || identity.scopes.has('internal')) throw this.failures.refuse(request);
    // Never the session that the browser had before: somebody else may know it.
    await this.sessions.end(request);
    const { cookie, expiresAt } = await this.sessions.open(token);
    reply.header('set-cookie', this.cookie(cookie, expiresAt));
    return toView(identity);
  }

  /** Who is signed in. */
  @Get()
  @RequireToken()
  @Header('cache-control', 'no-store')
  @ApiOkResponse({ type: ConsoleSession })
  read(@Req() { identity }: FastifyRequest): ConsoleSession {
    if (!identity) throw new AppError('token_missing');
    return toView(identity);
  }

  /** End the session, here and everywhere. */
  @Delete()
  @RequireToken()
  @HttpCode(204)
  @ApiNoContentResponse()
  async signOut(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    await this.sessions.end(request);
    reply.header('set-cookie', this.cookie('', new Date(0)));
  }

  private tokenOf({ token, code }: ConsoleSignIn): Secret | null {
    if ((token === undefined) === (code === undefined)) {
      throw invalidFields({ field: 'token', message: 'Send token or code, and not both' });
    }
    return token === undefined ? (this.code?.redeem(String(code)) ?? null) : Secret.of(token);
  }

  /** Over https the cookie is bound to this very host, and never sent without TLS. */
  private cookie(value: string, expiresAt: Date): string {
    const isSecure = this.env.PUBLIC_URL?.startsWith('https://') ?? false;
    const name = isSecure ? `__Host-${SESSION_COOKIE}` : SESSION_COOKIE;
    const rest = `Path=/; Expires=${expiresAt.toUTCString()}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
    return `${name}=${value}; ${rest}`;
  }
}

const toView = ({ tokenId, scopes }: Identity): ConsoleSession => ({ token_id: tokenId, scopes: [...scopes] });
