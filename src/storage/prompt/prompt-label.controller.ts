import { Body, Controller, Delete, Get, HttpCode, Put, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PROMPTS_PATH } from '../../contract/paths.js';
import { LabelMove, LabelRemoval, ProtectedLabels } from '../../contract/prompt.contract.js';
import { MOVABLE_LABEL_FORM, MOVABLE_LABEL_PATTERN } from '../../contract/prompt-names.js';
import { PromptLabelList, PromptLabelView } from '../../contract/prompt-view.contract.js';
import { type Author, CurrentAuthor } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { FormParam, UuidParam } from '../../platform/http/validation.js';
import { PromptLabelService } from './prompt-label.service.js';
import { CanWaitForApplied } from '../instance/wait-for-applied.js';

const LabelParam = (): ParameterDecorator => FormParam('label', MOVABLE_LABEL_PATTERN, MOVABLE_LABEL_FORM);

@ApiTags('system prompts')
@Controller(PROMPTS_PATH)
export class PromptLabelController {
  constructor(private readonly labels: PromptLabelService) {}

  /** The labels that only a token with scope `admin` can move or remove, in every prompt. */
  @Get('protected-labels')
  @RequireScope('prompts:read')
  @ApiOkResponse({ type: ProtectedLabels })
  @ApiProblems(503)
  readProtected(): Promise<ProtectedLabels> {
    return this.labels.protectedLabels();
  }

  /** Set which labels are protected: the whole list. */
  @Put('protected-labels')
  @RequireScope('admin')
  @ApiOkResponse({ type: ProtectedLabels })
  @ApiProblems(400, 503)
  protect(@Body() body: ProtectedLabels, @CurrentAuthor() author: Author): Promise<ProtectedLabels> {
    return this.labels.protect(body, author);
  }

  /** Where the labels of a prompt stand. */
  @Get(':id/labels')
  @RequireScope('prompts:read')
  @ApiOkResponse({ type: PromptLabelList })
  @ApiProblems(400, 404, 503)
  list(@UuidParam('id') id: string): Promise<PromptLabelList> {
    return this.labels.list(id);
  }

  /** Let a label stand at a version. With `expected_version` it is refused when it was moved since. */
  @Put(':id/labels/:label')
  @CanWaitForApplied()
  @RequireScope('prompts:write')
  @ApiOkResponse({ type: PromptLabelView })
  @ApiProblems(400, 403, 404, 409, 503)
  move(
    @UuidParam('id') id: string,
    @LabelParam() label: string,
    @Body() body: LabelMove,
    @CurrentAuthor() author: Author,
  ): Promise<PromptLabelView> {
    return this.labels.move(id, label, body, author);
  }

  /** Take a label away: whoever asks for it gets 404. */
  @Delete(':id/labels/:label')
  @CanWaitForApplied()
  @RequireScope('prompts:write')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiProblems(400, 403, 404, 409, 503)
  remove(
    @UuidParam('id') id: string,
    @LabelParam() label: string,
    @Query() query: LabelRemoval,
    @CurrentAuthor() author: Author,
  ): Promise<void> {
    return this.labels.remove(id, label, query, author);
  }
}
