import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { STATUS_PATH } from '../../contract/paths.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiOpenAiErrors } from '../openai-docs.js';
import { StatusService } from './status.service.js';
import { HealthQuery, HealthReport, MetricsQuery, MetricsReport } from './status.views.js';

/** For people and dashboards; `/health/ready` is for load balancers. */
@ApiTags('status')
@RequireScope('usage:read', 'models:read')
@Controller(STATUS_PATH)
export class StatusController {
  constructor(private readonly status: StatusService) {}

  /** How the models do, as this process learned from its last calls of them, and how old what it knows is. */
  @Get('health')
  @ApiOkResponse({ type: HealthReport })
  @ApiOpenAiErrors()
  health(@Query() query: HealthQuery): HealthReport {
    return this.status.health(query);
  }

  /** Calls, errors, attempts, tokens and latency of this process since it started, by alias. */
  @Get('metrics')
  @ApiOkResponse({ type: MetricsReport })
  @ApiOpenAiErrors()
  metrics(@Query() query: MetricsQuery): MetricsReport {
    return this.status.metrics(query);
  }
}
