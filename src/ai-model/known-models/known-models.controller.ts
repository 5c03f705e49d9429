import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { MODEL_PROVIDERS_PATH } from '../../contract/paths.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { ApiOpenAiErrors } from '../openai-docs.js';
import { MEDIA_PACKAGE, PRICES_PACKAGE, versionOf } from './catalogue-packages.js';
import { KnownModelList, KnownModelsPath, KnownModelsQuery, type KnownModelView } from './known-models.views.js';
import { type KnownModel, ModelCatalogue } from './model-catalogue.js';

const DEFAULT_LIMIT = 100;

const toView = ({ model_name, facts, pricesVary }: KnownModel): KnownModelView => ({
  model_name,
  display_name: facts.display_name,
  context_window: facts.context_window,
  max_tokens: facts.max_tokens,
  input_price_per_million: facts.input_price_per_million,
  cached_input_price_per_million: facts.cached_input_price_per_million,
  output_price_per_million: facts.output_price_per_million,
  prices_vary: pricesVary,
  supports_images: facts.supports_images,
  supports_files: facts.supports_files,
  supports_audio: facts.supports_audio,
  supports_videos: facts.supports_videos,
});

const contains = ({ model_name: name, facts }: KnownModel, text: string): boolean =>
  `${name}\n${facts.display_name ?? ''}`.toLowerCase().includes(text.toLowerCase());

@ApiTags('management')
@Controller(MODEL_PROVIDERS_PATH)
export class KnownModelsController {
  constructor(private readonly catalogue: ModelCatalogue) {}

  /** Known models of a provider, with what can be put into a new config. */
  @Get(':provider/known-models')
  @RequireScope('models:read')
  @ApiOkResponse({ type: KnownModelList })
  @ApiOpenAiErrors()
  async list(@Param() { provider }: KnownModelsPath, @Query() query: KnownModelsQuery): Promise<KnownModelList> {
    const { q = '', skip = 0, limit = DEFAULT_LIMIT } = query;
    const known = await this.catalogue.list(provider, query.api_base ?? null);
    const found = known.filter((model) => contains(model, q));
    const models = found.slice(skip, skip + limit).map(toView);
    const source = versionOf(PRICES_PACKAGE);
    return { provider, models, total: found.length, skip, limit, source, media_source: versionOf(MEDIA_PACKAGE) };
  }
}
