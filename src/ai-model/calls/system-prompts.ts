import { Injectable } from '@nestjs/common';
import { DEFAULT_LABEL } from '../../contract/prompt-names.js';
import type { SnapshotModel, SnapshotPrompt } from '../../contract/snapshot.contract.js';
import type { Identity } from '../../platform/auth/identity.js';
import { AppError } from '../../platform/errors/app-error.js';
import { MAX_DEPTH } from '../../platform/http/json-cost.js';
import { renderOrRefuse } from '../../platform/template/render-or-refuse.js';
import { PromptLibrary, type PickedPrompt } from '../prompts/prompt-library.js';
import type { UsedPrompt } from '../usage/usage-record.js';
import type { Span } from '../../platform/tracing/span.js';
import type { Asker } from './asker.js';
import type { IncomingCall } from './incoming-call.js';
import { editObject, FirstItem, scanTopLevel, type ObjectChanges } from './wire/json-object-editor.js';

/** A call as it goes on: with its system prompt in front, and nothing in it that is the hub's alone. */
export interface PromptedChat {
  incoming: IncomingCall;
  /** null: none of the hub's prompts. */
  prompt: UsedPrompt | null;
}

const PARAMETER = 'prompt_template';

/** Puts the prompt that the caller names, else the model's own, in front of the caller's messages. */
@Injectable()
export class SystemPrompts {
  constructor(private readonly library: PromptLibrary) {}

  apply(
    incoming: IncomingCall,
    model: SnapshotModel,
    { identity, span }: Pick<Asker, 'identity' | 'span'>,
  ): PromptedChat | Promise<PromptedChat> {
    if (incoming.prompt) {
      const { name, selector, values } = incoming.prompt;
      const admit = (prompt: SnapshotPrompt): void => requireReadable(prompt, identity);
      return next(this.library.pick({ name, selector, admit, span }), (picked) => prompted(incoming, picked, values));
    }
    if (incoming.operation === 'embeddings') return { incoming, prompt: null };
    if (model.system_prompt_name) return this.applyDefault(incoming, model, model.system_prompt_name, span);
    return { incoming: withoutParameter(incoming), prompt: null };
  }

  /** The config says so, and its writer may: the caller's scopes do not matter, and he cannot mend what is wrong. */
  private applyDefault(
    incoming: IncomingCall,
    model: SnapshotModel,
    name: string,
    span: Span | null,
  ): PromptedChat | Promise<PromptedChat> {
    const fail = (error: unknown): never => {
      throw asDefaultFailure(error, model);
    };
    try {
      const selector = { label: model.system_prompt_label ?? DEFAULT_LABEL };
      const picked = this.library.pick({ name, selector, admit: () => undefined, span });
      const applied = next(picked, (found) => prompted(incoming, found, {}));
      return applied instanceof Promise ? applied.catch(fail) : applied;
    } catch (error) {
      return fail(error);
    }
  }
}

/** Without a promise where there is none: a call whose prompt is known does not wait. */
const next = <Value, Result>(
  value: Value | Promise<Value>,
  step: (value: Value) => Result,
): Result | Promise<Result> => (value instanceof Promise ? value.then(step) : step(value));

const requireReadable = ({ name, is_public: isPublic }: SnapshotPrompt, identity: Identity | undefined): void => {
  if (isPublic || identity?.scopes.has('prompts:read')) return;
  throw new AppError('scope_missing', {
    detail: `The prompt ${name} is not public: this needs a token with scope prompts:read.`,
    param: PARAMETER,
  });
};

const asDefaultFailure = (error: unknown, { alias, system_prompt_name: name }: SnapshotModel): unknown => {
  if (!(error instanceof AppError) || error.code === 'prompt_directory_unavailable') return error;
  return new AppError('default_prompt_not_usable', {
    status: 503,
    detail: `The default prompt of ${alias}, ${name}, cannot be used: ${error.detail}`,
    headers: { 'x-should-retry': 'false' },
    cause: error,
  });
};

const prompted = (
  incoming: IncomingCall,
  { used, template }: PickedPrompt,
  values: Readonly<Record<string, unknown>>,
): PromptedChat => {
  const { text } = renderOrRefuse(template, values);
  const message = { role: 'system', content: text };
  const { prompt_template: _own, ...parameters } = incoming.parameters;
  const messages = [message, ...(parameters['messages'] as unknown[])];
  const changes = new Map([
    [PARAMETER, undefined],
    ['messages', new FirstItem(Buffer.from(JSON.stringify(message)))],
  ]);
  return { incoming: { ...edited(incoming, changes), parameters: { ...parameters, messages } }, prompt: used };
};

/** `null` asks for nothing, but is no parameter of any provider's either. */
const withoutParameter = (incoming: IncomingCall): IncomingCall => {
  if (!Object.hasOwn(incoming.parameters, PARAMETER)) return incoming;
  const { prompt_template: _own, ...parameters } = incoming.parameters;
  return { ...edited(incoming, new Map([[PARAMETER, undefined]])), parameters };
};

const edited = (incoming: IncomingCall, changes: ObjectChanges): IncomingCall => {
  const body = editObject(incoming.body, changes, incoming.topLevel);
  return { ...incoming, body, topLevel: scanTopLevel(body, { depth: MAX_DEPTH }) };
};
