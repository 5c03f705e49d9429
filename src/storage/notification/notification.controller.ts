import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { NotificationList, NotificationQuery, NotificationView } from '../../contract/notification.contract.js';
import { ALERT_NOTIFICATIONS_PATH } from '../../contract/paths.js';
import { type Author, CurrentAuthor } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { UuidParam } from '../../platform/http/validation.js';
import { NotificationService } from './notification.service.js';

@ApiTags('alerts')
@Controller(ALERT_NOTIFICATIONS_PATH)
export class NotificationController {
  constructor(private readonly notifications: NotificationService) {}

  /** Messages to channels, newest first: on their way, delivered in the last 30 days, or given up. */
  @Get()
  @RequireScope('alerts:read')
  @ApiOkResponse({ type: NotificationList })
  @ApiProblems(400, 503)
  list(@Query() query: NotificationQuery): Promise<NotificationList> {
    return this.notifications.list(query);
  }

  /** Put a message that was given up on its way once more, for another 24 hours and under its old id. */
  @Post(':id/retry')
  @RequireScope('alerts:write')
  @HttpCode(200)
  @ApiOkResponse({ type: NotificationView })
  @ApiProblems(400, 404, 409, 503)
  retry(@UuidParam('id') id: string, @CurrentAuthor() author: Author): Promise<NotificationView> {
    return this.notifications.retry(id, author);
  }
}
