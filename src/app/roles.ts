import type { KeyObject } from 'node:crypto';
import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import type { Env } from '../platform/config/env.js';
import type { ThisInstance } from '../platform/config/this-instance.js';
import type { ErrorTranslator } from '../platform/errors/error-filter.js';
import type { Ending } from '../platform/lifecycle/ending.js';
import type { Secret } from '../platform/secrets/secret.js';

/** A service as the application sees it: what to mount, and what to do around the life of the process. */
export interface ServicePart {
  module: DynamicModule;
  translateError?: ErrorTranslator;
  /** For the operator, at the end of the start; `url`: where this process listens. */
  notices?: ((url: string) => string)[];
  /** Signs in to the console; null: nobody could have a token from anywhere but the operator. */
  firstToken?: Secret | null;
  /** Keys for a snapshot on disk, the first to seal it, where the part has secrets to derive them from. */
  snapshotKeys?(): KeyObject[];
  /** At the end of the process, while all of it still works: begins nothing new, and ends and hands over the rest. */
  drain?(nest: INestApplicationContext, ending: Ending): Promise<void>;
  /** Ends what lies under Nest; called after everything else is closed. */
  close?(): Promise<void>;
}

/** How a start can end besides well. */
export interface StartOptions {
  onFatal?: (error: unknown) => void;
  stopping?: AbortSignal;
}

const openStoragePart = async (
  env: Env,
  instance: ThisInstance,
  serviceToken: Secret,
  options: StartOptions,
): Promise<ServicePart> => {
  const { openStorage, StorageModule, translateDatabaseError } = await import('../storage/index.js');
  const resources = await openStorage(env, instance, options);
  const { adminToken, adminTokenFile, isAdminTokenNew } = resources;
  return {
    module: StorageModule.register(resources, serviceToken),
    translateError: translateDatabaseError,
    notices: adminTokenFile ? [() => `Admin token: in ${adminTokenFile}`] : [],
    firstToken: isAdminTokenNew ? adminToken : null,
    snapshotKeys: () => resources.keys.snapshotKeys(),
    close: () => resources.close(),
  };
};

/** The service token of the operator, since every process has it; where there is none, the keys of the storage part. */
const openAiModelPart = async (
  { STORAGE_SERVICE_TOKEN: token }: Env,
  serviceToken: Secret,
  storage: ServicePart | null,
): Promise<ServicePart> => {
  const { AiModelModule, SnapshotKeys, snapshotKeyOf, translateStorageError } = await import('../ai-model/index.js');
  const ofToken = token ? [snapshotKeyOf(token)] : [];
  const keys = new SnapshotKeys(() => [...ofToken, ...(storage?.snapshotKeys?.() ?? [])]);
  return {
    module: AiModelModule.register(serviceToken, keys),
    translateError: translateStorageError,
    drain: (nest, ending) => nest.get(AiModelModule).drain(ending),
  };
};

/** Served where the storage service is: signing in asks for the tokens that it keeps. */
const openConsolePart = async (storage: ServicePart): Promise<ServicePart> => {
  const { ConsoleModule, SignInCode } = await import('../console/index.js');
  const code = storage.firstToken ? new SignInCode(storage.firstToken) : null;
  const link = (url: string): string =>
    `Console: ${url}/console/#sign-in=${code?.text} (signs in once, within an hour)`;
  return { module: ConsoleModule.register(storage.module, code), notices: code ? [link] : [] };
};

/** The services of this process's role. Dynamic imports: a process in role `ai-model` never loads typeorm or pg. */
export const openParts = async (
  env: Env,
  instance: ThisInstance,
  serviceToken: Secret,
  options: StartOptions,
): Promise<ServicePart[]> => {
  const storage = env.runsStorage ? await openStoragePart(env, instance, serviceToken, options) : null;
  const aiModel = env.runsAiModel ? await openAiModelPart(env, serviceToken, storage) : null;
  const webConsole = storage ? await openConsolePart(storage) : null;
  return [storage, aiModel, webConsole].filter((part) => part !== null);
};
