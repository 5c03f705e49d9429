import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Put, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiExtraModels, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MANAGEMENT_PATH } from '../../contract/paths.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { languageOf } from '../../platform/http/accept-language.js';
import { UuidParam } from '../../platform/http/validation.js';
import { testAskerOf } from '../connection-test/test-asker.js';
import { ApiOpenAiErrors } from '../openai-docs.js';
import { ManagementProviders } from './management-providers.js';
import { ManagementTests } from './management-tests.js';
import { ManagedModelCreate, ManagedModelUpdate } from './management.requests.js';
import { type ManagementCaller, ManagementService } from './management.service.js';
import {
  ManagedModelChange,
  ManagedModelList,
  ManagedModelRemoval,
  ManagedProviders,
  type ManagedTest,
  ManagedTestError,
  ManagedTestSuccess,
} from './management.views.js';

const callerOf = (request: FastifyRequest): ManagementCaller => ({
  authorization: request.headers.authorization ?? '',
  requestId: request.id,
  span: request.span,
  language: languageOf(request.headers['accept-language']),
});

/** The management API that existed before the database did: as its callers know it, served by the storage service. */
@ApiTags('management')
@Controller(MANAGEMENT_PATH)
export class ManagementController {
  constructor(
    private readonly management: ManagementService,
    private readonly knownProviders: ManagementProviders,
    private readonly tests: ManagementTests,
  ) {}

  /** All models; the last known ones, marked `degraded`, when storage cannot be reached. */
  @Get('list')
  @RequireScope('models:read')
  @ApiOkResponse({ type: ManagedModelList })
  @ApiOpenAiErrors()
  list(@Req() request: FastifyRequest): Promise<ManagedModelList> {
    return this.management.list(callerOf(request));
  }

  /** Save a model. */
  @Post('add')
  @RequireScope('models:write')
  @ApiCreatedResponse({ type: ManagedModelChange })
  @ApiOpenAiErrors()
  add(@Body() body: ManagedModelCreate, @Req() request: FastifyRequest): Promise<ManagedModelChange> {
    return this.management.add(body, callerOf(request));
  }

  /** Change a model: absent fields keep their value, `null` clears. */
  @Put('update/:id')
  @RequireScope('models:write')
  @ApiOkResponse({ type: ManagedModelChange })
  @ApiOpenAiErrors()
  update(
    @UuidParam('id') id: string,
    @Body() body: ManagedModelUpdate,
    @Req() request: FastifyRequest,
  ): Promise<ManagedModelChange> {
    return this.management.update(id, body, callerOf(request));
  }

  /** Remove a model. */
  @Delete('remove/:id')
  @RequireScope('models:write')
  @ApiOkResponse({ type: ManagedModelRemoval })
  @ApiOpenAiErrors()
  remove(@UuidParam('id') id: string, @Req() request: FastifyRequest): Promise<ManagedModelRemoval> {
    return this.management.remove(id, callerOf(request));
  }

  /** What each provider is, with the names of models that are known of it. */
  @Get('providers')
  @RequireScope('models:read')
  @ApiOkResponse({ type: ManagedProviders })
  @ApiOpenAiErrors()
  providers(@Headers('accept-language') header?: string): Promise<ManagedProviders> {
    return this.knownProviders.list(languageOf(header));
  }

  /** Test a model: one small call of it, without retries. */
  @Post('test/:id')
  @RequireScope('models:write')
  @HttpCode(200)
  @ApiExtraModels(ManagedTestSuccess, ManagedTestError)
  @ApiOkResponse({
    description: 'Also when the test fails: see status',
    schema: { oneOf: [{ $ref: getSchemaPath(ManagedTestSuccess) }, { $ref: getSchemaPath(ManagedTestError) }] },
  })
  @ApiOpenAiErrors()
  test(
    @UuidParam('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ManagedTest> {
    return this.tests.test(id, testAskerOf(request, reply));
  }
}
