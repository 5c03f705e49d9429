import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { STORAGE_PREFIX } from '../../contract/paths.js';
import { ModelStatistics } from '../../contract/statistics.contract.js';
import { StatisticsQuery } from '../../contract/statistics-query.contract.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { AnswerCache } from '../cache/answer-cache.js';
import { statisticsToCsv } from './statistics-csv.js';
import { StatisticsService } from './statistics.service.js';

const wantsCsv = ({ format }: StatisticsQuery, accept: string | undefined): boolean =>
  format === undefined ? /(?:^|,)\s*text\/csv\s*(?:[;,]|$)/i.test(accept ?? '') : format === 'csv';

@ApiTags('statistics')
@ApiExtraModels(ModelStatistics)
@Controller(STORAGE_PREFIX)
export class StatisticsController {
  constructor(
    private readonly statistics: StatisticsService,
    private readonly answers: AnswerCache,
  ) {}

  /** Totals over all models and calls, or over those of a range; with `interval` and `group_by` as series. */
  @Get('statistics')
  @RequireScope('usage:read')
  @ApiOkResponse({
    description: 'The totals, and what series were asked for',
    content: {
      'application/json': { schema: { $ref: getSchemaPath(ModelStatistics) } },
      'text/csv': { schema: { type: 'string' } },
    },
  })
  @ApiProblems(400, 503)
  async read(
    @Query() query: StatisticsQuery,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ModelStatistics | string | Buffer> {
    const read = (): Promise<ModelStatistics> => this.statistics.read(query);
    if (!wantsCsv(query, accept)) return this.answers.send(reply, { route: 'statistics', query }, read);
    const statistics = await read();
    void reply.type('text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="statistics.csv"');
    return statisticsToCsv(statistics);
  }
}
