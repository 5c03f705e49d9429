import { Body, Controller, Get, Header, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ConnectionTestClaim, type ConnectionTestGrant } from '../../contract/connection-test.contract.js';
import { INTERNAL_PATH } from '../../contract/paths.js';
import type { Snapshot, SnapshotPromptVersion } from '../../contract/snapshot.contract.js';
import { readUsageBatch } from '../../contract/usage-batch.check.js';
import type { UsageReceipt } from '../../contract/usage.contract.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { AppError } from '../../platform/errors/app-error.js';
import { etagOf, isNotModified } from '../../platform/http/etag.js';
import { VersionParam } from '../../platform/http/validation.js';
import { ConnectionTestClaims } from '../connection-test/connection-test-claims.js';
import { UsageService } from '../usage/usage.service.js';
import { ChangeStream } from './change-stream.js';
import { SnapshotService } from './snapshot.service.js';

const revisionOf = (ifNoneMatch: string | undefined): number | null => {
  const revision = /^"(\d{1,16})"$/.exec(ifNoneMatch ?? '')?.[1];
  return revision === undefined ? null : Number(revision);
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
  ) {}

  @Get('snapshot')
  @Header('cache-control', 'no-store')
  async snapshot(
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Snapshot | undefined> {
    const known = revisionOf(ifNoneMatch);
    const snapshot = await this.snapshots.newerThan(known);
    const etag = etagOf(snapshot?.revision ?? (known as number));
    reply.header('etag', etag);
    if (snapshot && !isNotModified(ifNoneMatch, etag)) return snapshot;
    reply.status(304);
    return undefined;
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

  /** Which models the asking process may test now. */
  @Post('connection-tests')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  claimTests(@Body() claim: ConnectionTestClaim): Promise<ConnectionTestGrant> {
    return this.claims.grant(claim);
  }
}
