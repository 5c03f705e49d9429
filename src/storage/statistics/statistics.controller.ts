import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { STORAGE_PREFIX } from '../../contract/paths.js';
import { ModelStatistics } from '../../contract/statistics.contract.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { StatisticsService } from './statistics.service.js';

@ApiTags('statistics')
@Controller(STORAGE_PREFIX)
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  /** Totals over all models and all calls through the API. */
  @Get('statistics')
  @RequireScope('usage:read')
  @ApiOkResponse({ type: ModelStatistics })
  @ApiProblems(503)
  totals(): Promise<ModelStatistics> {
    return this.statistics.totals();
  }
}
