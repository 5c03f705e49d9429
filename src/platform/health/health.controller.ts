import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { PublicRoute } from '../auth/require-scope.js';
import { HealthRegistry, type Readiness } from './health-registry.js';

@ApiTags('health')
@PublicRoute()
@Controller('health')
export class HealthController {
  constructor(private readonly registry: HealthRegistry) {}

  /** Simple, for Docker: the process answers. */
  @Get()
  @ApiOkResponse({ description: '`{"status": "ok"}`' })
  health(): { status: string } {
    return { status: 'ok' };
  }

  /** The event loop turns; says nothing about dependencies, so that none of them gets the process restarted. */
  @Get('live')
  @ApiOkResponse({ description: '`{"status": "ok"}`' })
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** Can serve something; names the dependency that is degraded. */
  @Get('ready')
  @ApiOkResponse({ description: '`ready` or `degraded`' })
  @ApiServiceUnavailableResponse({ description: '`not_ready`' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const readiness = await this.registry.readiness();
    reply.status(readiness.status === 'not_ready' ? 503 : 200).header('cache-control', 'no-store');
    return readiness;
  }
}
