import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { MANAGEMENT_PATH } from '../../contract/paths.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiOpenAiErrors } from '../openai-docs.js';
import { ManagementService } from './management.service.js';
import { ManagedModelList } from './management.views.js';

@ApiTags('management')
@Controller(MANAGEMENT_PATH)
export class ManagementController {
  constructor(private readonly management: ManagementService) {}

  /** All models; the last known ones, marked `degraded`, when storage cannot be reached. */
  @Get('list')
  @RequireScope('models:read')
  @ApiOkResponse({ type: ManagedModelList })
  @ApiOpenAiErrors()
  list(@Req() request: FastifyRequest): Promise<ManagedModelList> {
    return this.management.list({ authorization: request.headers.authorization ?? '', requestId: request.id });
  }
}
