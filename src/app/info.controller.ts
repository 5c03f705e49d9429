import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AnswerField } from '../contract/fields.js';
import { RequireToken } from '../platform/auth/require-scope.js';
import { Env, SERVICE_ROLES, type ServiceRole } from '../platform/config/env.js';
import { HealthRegistry, type DependencyHealth, type Readiness } from '../platform/health/health-registry.js';
import { PRODUCT } from './product.js';

/** What runs here. */
export class Info {
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ type: 'string' }) version: string;
  @AnswerField({ enum: [...SERVICE_ROLES], enumName: 'ServiceRole' }) role: ServiceRole;
  @AnswerField({ type: 'string' }) node_version: string;
  @AnswerField({ type: 'string', format: 'date-time' }) started_at: string;
  @AnswerField({ type: 'string', enum: ['ready', 'degraded', 'not_ready'] }) status: Readiness['status'];
  @AnswerField({ type: 'object', additionalProperties: { type: 'object' } })
  dependencies: Record<string, DependencyHealth>;
}

@ApiTags('health')
@RequireToken()
@Controller('info')
export class InfoController {
  private readonly startedAt = new Date().toISOString();

  constructor(
    private readonly env: Env,
    private readonly health: HealthRegistry,
  ) {}

  /** What runs here, in which version and role, and how its dependencies are. */
  @Get()
  @ApiOkResponse({ type: Info })
  async info(): Promise<Info> {
    return {
      ...PRODUCT,
      role: this.env.SERVICE_ROLE,
      node_version: process.version,
      started_at: this.startedAt,
      ...(await this.health.readiness()),
    };
  }
}
