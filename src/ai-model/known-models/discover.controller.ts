import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { CONFIGS_PATH } from '../../contract/paths.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { UuidParam } from '../../platform/http/validation.js';
import { DiscoverService } from './discover.service.js';
import { DiscoverRequest, Discovery } from './discover.views.js';

/** Stands under the path of storage's configs; served here, since only this service calls providers. */
@ApiTags('model configurations')
@Controller(CONFIGS_PATH)
export class DiscoverController {
  constructor(private readonly discovery: DiscoverService) {}

  /** Ask the provider, and the list of known models, about a config's model; changes only the fields named in `apply`. */
  @Post(':id/discover')
  @RequireScope('models:write')
  @HttpCode(200)
  @ApiBody({ type: DiscoverRequest, required: false })
  @ApiOkResponse({ type: Discovery })
  @ApiProblems(400, 404, 412, 503)
  discover(
    @UuidParam('id') id: string,
    @Body() body: DiscoverRequest,
    @Req() request: FastifyRequest,
  ): Promise<Discovery> {
    const { headers, id: requestId, span } = request;
    const caller = { authorization: headers.authorization ?? '', requestId, span };
    return this.discovery.discover(id, body.apply ?? [], caller);
  }
}
