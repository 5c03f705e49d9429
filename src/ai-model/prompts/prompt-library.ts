import { Injectable } from '@nestjs/common';
import { versionAt, type PromptSelector } from '../../contract/prompt-names.js';
import { variablesProblem } from '../../contract/prompt-variables.js';
import type { SnapshotPrompt, SnapshotPromptVersion } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { compileTemplate, type CompiledTemplate } from '../../platform/template/template.js';
import type { Span } from '../../platform/tracing/span.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import type { UsedPrompt } from '../usage/usage-record.js';
import { KeptVersions, promptsUnavailable } from './kept-versions.js';

/** Which prompt is asked for, and a check, which throws, of whether the caller may use it. */
export interface PromptWanted {
  name: string;
  selector: PromptSelector;
  admit: (prompt: SnapshotPrompt) => void;
  /** The request that it is for, should storage have to be asked. */
  span: Span | null;
}

export interface PickedPrompt {
  used: UsedPrompt;
  template: CompiledTemplate;
}

const PARAM = { param: 'prompt_template' };

/** The prompts that calls are made with. What a snapshot carries is found in memory. */
@Injectable()
export class PromptLibrary {
  private readonly templates = new WeakMap<SnapshotPromptVersion, CompiledTemplate>();

  constructor(
    private readonly directory: ModelDirectory,
    private readonly kept: KeptVersions,
  ) {}

  /**
   * The version that is meant, and never another one. Throws `prompt_not_found`, `prompt_archived`, `label_not_found`,
   * `version_not_found`, or `prompt_directory_unavailable` when nobody can know.
   */
  pick(wanted: PromptWanted): PickedPrompt | Promise<PickedPrompt> {
    return this.pickKnown(wanted) ?? this.pickAfterAsking(wanted);
  }

  /** null: not known here. */
  private pickKnown(wanted: PromptWanted): PickedPrompt | null {
    const prompt = this.admitted(wanted);
    const number = prompt && numberOf(prompt, wanted.selector);
    if (!prompt || number === undefined) return null;
    const version = prompt.versions.find((one) => one.version === number) ?? this.kept.find(prompt, number);
    return version ? this.picked(prompt, wanted.selector, version) : null;
  }

  private async pickAfterAsking(wanted: PromptWanted): Promise<PickedPrompt> {
    const fetched = await this.fetchUncarried(wanted);
    if (fetched) return fetched;
    const isCurrent = await this.directory.catchUp(wanted.span);
    const found = this.pickKnown(wanted) ?? (await this.fetchUncarried(wanted));
    if (found) return found;
    throw isCurrent ? notThere(wanted, this.directory.prompt(wanted.name)) : promptsUnavailable(wanted.name);
  }

  /** A version that is there, but in no snapshot. */
  private async fetchUncarried(wanted: PromptWanted): Promise<PickedPrompt | null> {
    const prompt = this.admitted(wanted);
    const number = prompt && numberOf(prompt, wanted.selector);
    if (!prompt || number === undefined || number > prompt.latest_version) return null;
    if (this.directory.isStorageAway) throw promptsUnavailable(wanted.name);
    return this.picked(prompt, wanted.selector, await this.kept.fetch(prompt, number, wanted.span));
  }

  private admitted({ name, admit }: PromptWanted): SnapshotPrompt | undefined {
    const prompt = this.directory.prompt(name);
    if (!prompt) return undefined;
    admit(prompt);
    if (!prompt.is_active)
      throw new AppError('prompt_archived', { detail: `The prompt ${name} is archived.`, ...PARAM });
    return prompt;
  }

  private picked({ id, name }: SnapshotPrompt, selector: PromptSelector, version: SnapshotPromptVersion): PickedPrompt {
    const label = 'label' in selector ? selector.label : null;
    return { used: { id, name, version: version.version, label }, template: this.template(name, version) };
  }

  private template(name: string, version: SnapshotPromptVersion): CompiledTemplate {
    const known = this.templates.get(version);
    if (known) return known;
    const template = compile(name, version);
    this.templates.set(version, template);
    return template;
  }
}

const numberOf = (prompt: SnapshotPrompt, selector: PromptSelector): number | undefined =>
  'version' in selector ? selector.version : versionAt(selector.label, prompt.latest_version, prompt.labels);

const notThere = ({ name, selector }: PromptWanted, prompt: SnapshotPrompt | undefined): AppError => {
  if (!prompt)
    return new AppError('prompt_not_found', { detail: `There is no prompt with the name ${name}.`, ...PARAM });
  return 'label' in selector
    ? new AppError('label_not_found', { detail: `No version of ${name} has the label ${selector.label}.`, ...PARAM })
    : new AppError('version_not_found', { detail: `The prompt ${name} has no version ${selector.version}.`, ...PARAM });
};

/** Saved it was checked; but a storage service of a later version may know more than this process. */
const compile = (
  name: string,
  { version, prompt_content: text, syntax, variables }: SnapshotPromptVersion,
): CompiledTemplate => {
  const isUnderstood = variablesProblem(variables).length === 0;
  const template = isUnderstood ? compileTemplate({ text, syntax, variables }) : null;
  if (template && template.errors.length === 0) return template;
  throw new AppError('prompt_template_invalid', {
    detail: `Version ${version} of the prompt ${name} is not understood by this process.`,
    ...PARAM,
  });
};
