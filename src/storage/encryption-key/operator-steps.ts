import { AppError } from '../../platform/errors/app-error.js';
import type { KeyRingFile } from '../crypto/key-ring-file.js';

/** What somebody wants to do with a key. */
export type KeyStep = { add: true } | { activate: string } | { remove: string };

const inEnvironment = (step: KeyStep): string => {
  const restart = 'and restart every storage process';
  if ('add' in step) {
    return `Make one with \`echo "k2:$(openssl rand -base64 32)"\`, append it to ENCRYPTION_KEYS behind the others, separated by a comma, ${restart}; it seals once it stands first.`;
  }
  if ('activate' in step) return `Put ${step.activate} first in ENCRYPTION_KEYS ${restart}.`;
  return `Take ${step.remove} out of ENCRYPTION_KEYS ${restart}; nothing is sealed under it.`;
};

const inFile = (step: KeyStep): string => {
  const notice = 'in the file of ENCRYPTION_KEYS; every process notices within a second';
  if ('add' in step) {
    return `Make one with \`echo "k2:$(openssl rand -base64 32)"\` and append it behind the others, separated by a comma, ${notice}.`;
  }
  if ('activate' in step) return `Put ${step.activate} first ${notice}.`;
  return `Take ${step.remove} out ${notice}; nothing is sealed under it.`;
};

/** Says what the operator has to do where this process cannot. */
export const readOnly = (file: KeyRingFile | null, step: KeyStep, cause?: unknown): AppError => {
  const detail = file
    ? `This process may not write the file ${file.name} with its keys. ${inFile(step)}`
    : `The key ring comes from the variable ENCRYPTION_KEYS, which a running process cannot change. ${inEnvironment(step)}`;
  return new AppError('encryption_keys_read_only', { detail, cause });
};

const READ_ONLY = new Set(['EROFS', 'EACCES', 'EPERM', 'EBUSY', 'EXDEV']);
/** A directory that cannot be written into, or a file that is mounted by itself and cannot be replaced. */
export const isReadOnlyFailure = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && READ_ONLY.has((error as NodeJS.ErrnoException).code ?? '');
