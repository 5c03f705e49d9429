import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { InstanceList } from '../../contract/instance.contract.js';
import { INSTANCES_PATH } from '../../contract/paths.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { InstanceService } from './instance.service.js';

@ApiTags('instances')
@RequireScope('models:read')
@Controller(INSTANCES_PATH)
export class InstanceController {
  constructor(private readonly instances: InstanceService) {}

  /** The processes of this hub, which revision each of them answers from, and how old that is. */
  @Get()
  @ApiOkResponse({ type: InstanceList })
  @ApiProblems(503)
  list(): Promise<InstanceList> {
    return this.instances.list();
  }
}
