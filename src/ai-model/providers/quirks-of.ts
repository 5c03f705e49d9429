import { PRESETS, type Preset } from '../../contract/presets.js';
import { PROVIDER_QUIRKS, type Quirk } from '../../contract/quirks.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { canParseUrl } from '../../platform/http/can-parse-url.js';

/** All that differs for one model, in one. */
export interface Quirks {
  renamed: ReadonlyMap<string, string>;
  dropped: readonly string[];
  droppedFromMessages: readonly string[];
  developerIsSystem: boolean;
  noStreamOptions: boolean;
  keepsExtensions: boolean;
  failsInBaseResp: boolean;
  errors: NonNullable<Quirk['errors']>;
}

const hostOf = (address: string): string | null => (canParseUrl(address) ? new URL(address).hostname : null);

/** The presets of servers in one's own network have an address that tells nothing. */
const BY_HOST: ReadonlyMap<string | null, Preset> = new Map(
  PRESETS.filter(({ is_local: isLocal }) => !isLocal).flatMap((preset) =>
    [preset.api_base, ...preset.other_api_bases].map((address) => [hostOf(address), preset] as const),
  ),
);

/** A provider with a name of its own is what it is behind any address, such as that of a proxy. */
const presetFor = ({ provider, api_base: address }: SnapshotModel): Preset | undefined =>
  provider === 'openai_compatible'
    ? address === null
      ? undefined
      : BY_HOST.get(hostOf(address))
    : PRESETS.find((preset) => preset.provider === provider);

const goesFor = ({ models }: Quirk, { model_name: name }: SnapshotModel): boolean =>
  models === undefined || new RegExp(models).test(name);

/** Versions are dates; anything else, such as `preview`, is newer than all of them. */
const isBefore = (version: string | null, since: string | undefined): boolean =>
  since !== undefined && version !== null && /^\d{4}-/.test(version) && version < since;

/** What has to be minded at this model: by its provider, its address and its name. */
export const quirksOf = (model: SnapshotModel): Quirks => {
  const found = [...(PROVIDER_QUIRKS[model.provider] ?? []), ...(presetFor(model)?.quirks ?? [])];
  const quirks = found.filter((quirk) => goesFor(quirk, model));
  return {
    renamed: new Map(quirks.flatMap(({ renamed = {} }) => Object.entries(renamed))),
    dropped: quirks.flatMap(({ dropped = [] }) => dropped),
    droppedFromMessages: quirks.flatMap(({ droppedFromMessages = [] }) => droppedFromMessages),
    developerIsSystem: quirks.some(({ developerIsSystem }) => developerIsSystem),
    noStreamOptions: quirks.some(
      ({ noStreamOptions, streamOptionsSince }) => noStreamOptions || isBefore(model.api_version, streamOptionsSince),
    ),
    keepsExtensions: quirks.some(({ keepsExtensions }) => keepsExtensions),
    failsInBaseResp: quirks.some(({ failsInBaseResp }) => failsInBaseResp),
    errors: Object.assign({}, ...quirks.map(({ errors }) => errors)) as Quirks['errors'],
  };
};
