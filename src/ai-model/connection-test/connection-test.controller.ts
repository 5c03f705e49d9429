import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIGS_PATH } from '../../contract/paths.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { UuidParam } from '../../platform/http/validation.js';
import { ConnectionTestRequest, DraftTestRequest, ManyTestsRequest } from './connection-test.requests.js';
import { ConnectionTestService } from './connection-test.service.js';
import { ConnectionTestResult, ConnectionTestResults } from './connection-test.views.js';
import { testAskerOf } from './test-asker.js';

/** Stands under the path of storage's configs; served here, since only this service calls providers. */
@ApiTags('model configurations')
@RequireScope('models:write')
@Controller(CONFIGS_PATH)
export class ConnectionTestController {
  constructor(private readonly tests: ConnectionTestService) {}

  /** Test a config that is not saved, or a change of one: one small call of its model. Nothing is counted or set. */
  @Post('test')
  @HttpCode(200)
  @ApiOkResponse({ type: ConnectionTestResult, description: 'Also when the test fails: see status' })
  @ApiProblems(400, 404, 422, 503)
  testDraft(
    @Body() body: DraftTestRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConnectionTestResult> {
    return this.tests.testDraft(body, testAskerOf(request, reply));
  }

  /** Test many models, four at a time. */
  @Post('test-all')
  @HttpCode(200)
  @ApiOkResponse({ type: ConnectionTestResults })
  @ApiProblems(400, 429, 503)
  testMany(
    @Body() body: ManyTestsRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConnectionTestResults> {
    return this.tests.testMany(body, testAskerOf(request, reply));
  }

  /** Test a config: one small call of its model, without retries. A key that is refused or accepted shows in its status. */
  @Post(':id/test')
  @HttpCode(200)
  @ApiBody({ type: ConnectionTestRequest, required: false })
  @ApiOkResponse({ type: ConnectionTestResult, description: 'Also when the test fails: see status' })
  @ApiProblems(400, 404, 503)
  testSaved(
    @UuidParam('id') id: string,
    @Body() body: ConnectionTestRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConnectionTestResult> {
    return this.tests.testSaved(id, body.modality, testAskerOf(request, reply));
  }
}
