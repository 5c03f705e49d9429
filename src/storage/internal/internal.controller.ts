import { Body, Controller, Delete, Get, Header, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ConnectionTestClaim, type ConnectionTestGrant } from '../../contract/connection-test.contract.js';
import type { InternalSession } from '../../contract/console.contract.js';
import { InstanceReport } from '../../contract/instance.contract.js';
import { INTERNAL_PATH } from '../../contract/paths.js';
import type { SnapshotPromptVersion } from '../../contract/snapshot.contract.js';
import { readUsageBatch } from '../../contract/usage-batch.check.js';
import type { UsageReceipt } from '../../contract/usage.contract.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { AppError } from '../../platform/errors/app-error.js';
import { etagOf, isNotModified } from '../../platform/http/etag.js';
import { UuidParam, VersionParam } from '../../platform/http/validation.js';
import { ConnectionTestClaims } from '../connection-test/connection-test-claims.js';
import { InstanceService } from '../instance/instance.service.js';
import { UsageService } from '../usage/usage.service.js';
import { sendJson } from './send-json.js';
import { ChangeStream } from './change-stream.js';
import { StoredSessions } from '../session/stored-sessions.js';
import { SnapshotService } from './snapshot.service.js';

const revisionOf = (ifNoneMatch: string | undefined): number | null => {
  const revision = /^"(\d{1,16})"$/.exec(ifNoneMatch ?? '')?.[1];
  return revision === undefined ? null : Number(revision);
};

const requireRevision = (text: unknown): number => {
  if (typeof text === 'string' && /^\d{1,16}$/.test(text)) return Number(text);
  const fields = [{ field: 'since', message: 'since must be a revision: a whole number' }];
  throw new AppError('validation_failed', { fields });
};

/** What the AI model service asks for. Carries credentials in clear: scope `internal` only, never stored on the way. */
@ApiExcludeController()
@RequireScope('internal')
@Controller(INTERNAL_PATH)
export class InternalController {
  constructor(
    private readonly snapshots: SnapshotService,
    private readonly usage: UsageService,
    private readonly changes: ChangeStream,
    private readonly claims: ConnectionTestClaims,
    private readonly instances: InstanceService,
    private readonly sessions: StoredSessions,
  ) {}

  /** A `Snapshot`; with `since` a `SnapshotDifference` to it where one can be told. */
  @Get('snapshot')
  @Header('cache-control', 'no-store')
  async snapshot(
    @Headers() headers: Record<string, string | undefined>,
    @Query('since') since: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const known = revisionOf(headers['if-none-match']);
    const from = since === undefined ? null : requireRevision(since);
    const found = await (from === null ? this.snapshots.newerThan(known) : this.snapshots.since(from));
    const etag = etagOf(found?.revision ?? from ?? (known as number));
    reply.header('etag', etag);
    if (!found || isNotModified(headers['if-none-match'], etag)) return void reply.status(304).send();
    await sendJson(reply, found.text, headers['accept-encoding']);
  }

  /** Server-sent events `{"revision": N}`, one whenever it moves. */
  @Get('changes')
  watch(@Res() reply: FastifyReply): void {
    reply.hijack();
    reply.raw.setHeader('x-request-id', reply.request.id);
    this.changes.add(reply.raw);
  }

  @Get('prompts/:name/versions/:number')
  @Header('cache-control', 'no-store')
  promptVersion(@Param('name') name: string, @VersionParam('number') version: number): Promise<SnapshotPromptVersion> {
    return this.snapshots.promptVersion(name, version);
  }

  @Post('usage')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  record(@Body() body: Record<string, unknown>): Promise<UsageReceipt> {
    const batch = readUsageBatch(body);
    if ('problem' in batch) throw new AppError('validation_failed', { detail: batch.problem });
    return this.usage.record(batch);
  }

  /** A process of the AI model service says what it runs, and which revision it has applied. */
  @Post('instances')
  @HttpCode(204)
  async report(@Body() report: InstanceReport): Promise<void> {
    await this.instances.report(report);
  }

  @Delete('instances/:id')
  @HttpCode(204)
  async forget(@UuidParam('id') id: string): Promise<void> {
    await this.instances.forget(id);
  }

  /** Opens the cookie of somebody who is signed in to the console. */
  @Get('sessions/:id')
  @Header('cache-control', 'no-store')
  async session(@Param('id') idSha256: string): Promise<InternalSession> {
    const found = await this.sessions.find(idSha256);
    const session = found && { key: found.key.toString('base64'), expires_at: found.expiresAt.toISOString() };
    return { session };
  }

  /** Which models the asking process may test now. */
  @Post('connection-tests')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  claimTests(@Body() claim: ConnectionTestClaim): Promise<ConnectionTestGrant> {
    return this.claims.grant(claim);
  }
}
