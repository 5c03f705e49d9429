import { Injectable } from '@nestjs/common';
import type {
  PromptDraft,
  PromptDraftRender,
  PromptRender,
  PromptReport,
  RenderedPrompt,
} from '../../contract/prompt-render.contract.js';
import { PROMPT_SYNTAXES, type PromptSyntax } from '../../contract/prompt-variables.js';
import { renderOrRefuse } from '../../platform/template/render-or-refuse.js';
import { compileTemplate, validateTemplate, type TemplateSource } from '../../platform/template/template.js';
import { toTokens, weighText } from '../../platform/text/text-weight.js';
import { checkedVariables } from './prompt-content.js';
import { PromptUseService } from './prompt-use.service.js';

const DEFAULT_SYNTAX: PromptSyntax = PROMPT_SYNTAXES[1];

/** What is known of a text that is saved. */
type Saved = Pick<RenderedPrompt, 'version' | 'content_sha256'>;

/** Shows what a model would get, without calling one. */
@Injectable()
export class PromptRenderService {
  constructor(private readonly uses: PromptUseService) {}

  async render(id: string, { label, version, variables = {} }: PromptRender): Promise<RenderedPrompt> {
    const row = await this.uses.pickById(id, { label, version });
    const source = { text: row.promptContent, syntax: row.syntax, variables: row.variables };
    return rendered(source, variables, { version: row.version, content_sha256: row.contentSha256 });
  }

  renderDraft(body: PromptDraftRender): RenderedPrompt {
    const variables = checkedVariables(body.variables ?? []);
    const source = { text: body.prompt_content, syntax: body.syntax ?? DEFAULT_SYNTAX, variables };
    return rendered(source, body.values ?? {}, { version: null, content_sha256: null });
  }

  /** Of a text whose variables are not told yet, it is no error that none of them is declared. */
  validate(body: PromptDraft): PromptReport {
    const variables = checkedVariables(body.variables ?? []);
    const source = { text: body.prompt_content, syntax: body.syntax ?? DEFAULT_SYNTAX, variables };
    const report = validateTemplate(source);
    const errors = report.errors.filter(({ code }) => body.variables || code !== 'undeclared_variable');
    return {
      valid: errors.length === 0,
      errors,
      warnings: report.warnings,
      variables: [...report.variables],
    };
  }
}

const rendered = (source: TemplateSource, values: Record<string, unknown>, saved: Saved): RenderedPrompt => {
  const { text, warnings } = renderOrRefuse(compileTemplate(source), values);
  return {
    text,
    ...saved,
    characters: [...text].length,
    token_estimate: toTokens(weighText(text)),
    warnings,
  };
};
