import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { type IncomingCall, refuseField } from './incoming-call.js';
import { AppError } from '../../platform/errors/app-error.js';

type Asked = Pick<IncomingCall, 'stream' | 'parameters'>;

const FINAL = { 'x-should-retry': 'false' };

/** Has what a call needs, as far as the hub can tell without making one. */
export const isCallable = (model: SnapshotModel): boolean =>
  model.is_enabled && model.credential_readable && (model.is_local || model.api_key !== null);

/** Says why a model cannot be called, by an error of its own for each reason. */
export const requireCallable = (model: SnapshotModel, incoming: Asked): void => {
  const { alias } = model;
  if (!model.is_enabled) {
    throw new AppError('model_disabled', { detail: `The model ${alias} is switched off.`, param: 'model' });
  }
  if (!model.credential_readable) {
    throw new AppError('credential_unavailable', {
      detail: `The key stored for ${alias} cannot be decrypted with the hub's present encryption keys; it must be entered again.`,
      headers: FINAL,
    });
  }
  if (!model.is_local && model.api_key === null) {
    throw new AppError('credential_missing', { detail: `No key is stored for ${alias} yet.`, headers: FINAL });
  }
  if (incoming.stream && !model.is_streaming_supported) {
    throw new AppError('streaming_not_supported', {
      detail: `The model ${alias} does not stream; leave stream out.`,
      param: 'stream',
    });
  }
  requireWithinLimit(model, incoming.parameters);
};

const LIMITS = ['max_tokens', 'max_completion_tokens'] as const;

/** The parameter that asks for more output than the config allows; what is no number is the provider's to judge. */
const excessIn = ({ max_tokens: most }: SnapshotModel, parameters: Asked['parameters']): string | undefined =>
  LIMITS.find((name) => typeof parameters[name] === 'number' && parameters[name] > most);

const requireWithinLimit = (model: SnapshotModel, parameters: Asked['parameters']): void => {
  const excess = excessIn(model, parameters);
  if (excess === undefined) return;
  const most = `${model.max_tokens} output tokens (max_tokens of its configuration)`;
  throw refuseField(excess, `${model.alias} writes at most ${most}; ${excess} asks for ${String(parameters[excess])}.`);
};

/** Whether no more output is asked for than the config allows. */
export const isWithinLimit = (model: SnapshotModel, parameters: Asked['parameters']): boolean =>
  excessIn(model, parameters) === undefined;
