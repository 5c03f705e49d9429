import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PROMPTS_PATH } from '../../contract/paths.js';
import {
  PromptDraft,
  PromptDraftRender,
  PromptRender,
  PromptReport,
  RenderedPrompt,
} from '../../contract/prompt-render.contract.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { UuidParam } from '../../platform/http/validation.js';
import { PromptRenderService } from './prompt-render.service.js';

/** No model is called, and nothing is written. */
@ApiTags('system prompts')
@RequireScope('prompts:read')
@Controller(PROMPTS_PATH)
export class PromptRenderController {
  constructor(private readonly rendering: PromptRenderService) {}

  /** What is wrong with a text, and the variables it uses. */
  @Post('validate')
  @HttpCode(200)
  @ApiOkResponse({ type: PromptReport })
  @ApiProblems(400)
  validate(@Body() body: PromptDraft): PromptReport {
    return this.rendering.validate(body);
  }

  /** A text that is not saved, with values in it. */
  @Post('render')
  @HttpCode(200)
  @ApiOkResponse({ type: RenderedPrompt })
  @ApiProblems(400, 422)
  renderDraft(@Body() body: PromptDraftRender): RenderedPrompt {
    return this.rendering.renderDraft(body);
  }

  /** A version with values in it, as a model would get it. */
  @Post(':id/render')
  @HttpCode(200)
  @ApiOkResponse({ type: RenderedPrompt })
  @ApiProblems(400, 404, 422, 503)
  render(@UuidParam('id') id: string, @Body() body: PromptRender): Promise<RenderedPrompt> {
    return this.rendering.render(id, body);
  }
}
