import { Injectable } from '@nestjs/common';
import type { Provider } from '../../contract/providers.js';
import { loadMediaList, loadPricedModels } from './catalogue-packages.js';
import { type CatalogueSource, ROUTED_PREFIX, sourceOf } from './catalogue-sources.js';
import type { MediaFacts } from './media-list.js';
import { factsFrom, type ModelFacts, NO_FACTS } from './model-facts.js';
import type { PricedModel } from './price-list.js';

/** A model that can be named in a config, and what is known of it. */
export interface KnownModel {
  model_name: string;
  facts: ModelFacts;
  pricesVary: boolean;
}

/** What the packages know of one provider's models. */
interface Catalogue {
  models: PricedModel[];
  media: ReadonlyMap<string, MediaFacts>;
}

/**
 * Models as public lists describe them: the data of two packages, imported when it is first asked for. Nothing is fetched,
 * and what the lists do not say stays unknown.
 */
@Injectable()
export class ModelCatalogue {
  private readonly loaded = new Map<CatalogueSource, Catalogue>();
  private loadedOn = '';

  /** Every known model of the provider, by name; empty where no list knows the provider or the host of its address. */
  async list(provider: Provider, apiBase: string | null): Promise<KnownModel[]> {
    const source = sourceOf(provider, apiBase);
    if (!source) return [];
    const { models, media } = await this.catalogue(source);
    const known = new Map<string, KnownModel>();
    for (const model of models) {
      if (known.has(model.name)) continue;
      const facts = merge(model, mediaOf(model, model.name, media));
      known.set(model.name, { model_name: model.name, facts, pricesVary: model.pricesVary });
    }
    return [...known.values()].sort((a, b) => (a.model_name < b.model_name ? -1 : 1));
  }

  /** What is known of the model with this name of the provider's. */
  async find(provider: Provider, apiBase: string | null, name: string): Promise<ModelFacts> {
    const source = sourceOf(provider, apiBase);
    if (!source) return NO_FACTS;
    const { models, media } = await this.catalogue(source);
    const model = models.find((known) => known.name === name) ?? models.find((known) => known.accepts(name));
    return merge(model, mediaOf(model, name, media));
  }

  /** Prices are those of the day. */
  private async catalogue(source: CatalogueSource): Promise<Catalogue> {
    const today = new Date().toISOString().slice(0, 10);
    if (today !== this.loadedOn) this.loaded.clear();
    this.loadedOn = today;
    const known = this.loaded.get(source) ?? (await load(source));
    this.loaded.set(source, known);
    return known;
  }
}

const load = async (source: CatalogueSource): Promise<Catalogue> => {
  const lists = await Promise.all(source.prices.map((provider) => loadRouted(source, provider)));
  const models = lists.flat().filter(({ name }) => !source.without?.test(name));
  return { models, media: source.media === null ? new Map() : await loadMediaList(source.media) };
};

/** Behind a router the names carry who serves them: prices and context windows differ. */
const loadRouted = async (source: CatalogueSource, provider: string): Promise<PricedModel[]> => {
  const models = await loadPricedModels(provider);
  if (!source.isRouter) return models;
  const suffix = `:${provider.slice(ROUTED_PREFIX.length)}`;
  return models.map((model) => ({
    ...model,
    name: model.name + suffix,
    accepts: (name) => name.endsWith(suffix) && model.accepts(name.slice(0, -suffix.length)),
  }));
};

const merge = (model: PricedModel | undefined, media: MediaFacts | null): ModelFacts => {
  const facts = model?.facts ?? NO_FACTS;
  return factsFrom({
    ...facts,
    max_tokens: media?.max_tokens ?? facts.max_tokens,
    supports_images: media?.supports_images ?? facts.supports_images,
    supports_files: media?.supports_files ?? facts.supports_files,
    supports_audio: media?.supports_audio ?? facts.supports_audio,
    supports_videos: media?.supports_videos ?? facts.supports_videos,
  });
};

/** Of the very name, else of the names that are sold as this model, as far as they agree. */
const mediaOf = (
  model: PricedModel | undefined,
  name: string,
  media: ReadonlyMap<string, MediaFacts>,
): MediaFacts | null => {
  const exact = media.get(name);
  if (exact || !model) return exact ?? null;
  const [first, ...others] = [...media].filter(([other]) => model.accepts(other)).map(([, facts]) => facts);
  if (!first) return null;
  const agreed = <Value>(read: (facts: MediaFacts) => Value): Value | null =>
    others.every((other) => read(other) === read(first)) ? read(first) : null;
  return {
    max_tokens: agreed((facts) => facts.max_tokens),
    supports_images: agreed((facts) => facts.supports_images),
    supports_files: agreed((facts) => facts.supports_files),
    supports_audio: agreed((facts) => facts.supports_audio),
    supports_videos: agreed((facts) => facts.supports_videos),
  };
};
