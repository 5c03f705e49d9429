import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { HistoryPage } from '../../contract/history.contract.js';
import { DEFAULT_LABEL, toSelector, type PromptSelector } from '../../contract/prompt-names.js';
import type {
  PromptDraft,
  PromptDraftRender,
  PromptRender,
  PromptReport,
  RenderedPrompt,
} from '../../contract/prompt-render.contract.js';
import { normalizedVariables, type PromptVariable } from '../../contract/prompt-variables.js';
import type { PromptUsages, ResolvedPrompt } from '../../contract/prompt-view.contract.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import { TemplateError } from '../../platform/template/template-problems.js';
import { renderTemplate, type RenderedTemplate } from '../../platform/template/render.js';
import { validateTemplate, type TemplateSource } from '../../platform/template/template.js';
import { toTokens, weighText } from '../../platform/text/text-weight.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import { checkedVariables } from './prompt-content.js';
import { findVersion, labelsOf, orPromptNotFound, versionAt, versionNumberOf } from './prompt-rows.js';
import type { PromptVersionEntity } from './prompt-version.entity.js';
import { pageOf } from './prompt.service.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';
