import {
  AnswerField,
  ChoiceField,
  fromQueryInteger,
  IntegerField,
  satisfies,
  TextField,
} from '../../contract/fields.js';
import { PROVIDERS, type Provider } from '../../contract/providers.js';
import { canParseUrl } from '../../platform/http/can-parse-url.js';
import type { ModelFacts } from './model-facts.js';

/** Path of `GET /api/v1/models/providers/{provider}/known-models`. */
export class KnownModelsPath {
  @ChoiceField(PROVIDERS, { required: true, name: 'Provider' })
  provider: Provider;
}

const addressProblem = (value: unknown): string | null =>
  value === undefined || (typeof value === 'string' && canParseUrl(value))
    ? null
    : 'must be an address such as https://api.deepseek.com/v1';

/** Query of `GET /api/v1/models/providers/{provider}/known-models`. */
export class KnownModelsQuery {
  @TextField({
    max: 500,
    description: "For `openai_compatible`: the host of the config's api_base decides whose models are listed",
    example: 'https://api.deepseek.com/v1',
  })
  @satisfies('address', addressProblem)
  api_base?: string;

  @TextField({ max: 200, description: 'Found in model_name or display_name, in either case' })
  q?: string;

  @fromQueryInteger()
  @IntegerField({ min: 0, max: 1_000_000_000, default: 0 })
  skip?: number;

  @fromQueryInteger()
  @IntegerField({ min: 1, max: 1000, default: 100 })
  limit?: number;
}

const TRUTH = { type: 'boolean', nullable: true } as const;
const PRICE = { type: 'number', nullable: true, description: 'US dollars per million tokens' } as const;

/**
 * A model as public lists describe it, under the names of the config's fields, so that what is not `null` can be put into
 * the body of `POST /configs`. `null`: not known.
 */
export class KnownModelView implements ModelFacts {
  @AnswerField({ type: 'string' }) model_name: string;
  @AnswerField({ type: 'string', nullable: true }) display_name: string | null;
  @AnswerField({ type: 'integer', nullable: true }) context_window: number | null;
  @AnswerField({ type: 'integer', nullable: true, description: 'The most output tokens' }) max_tokens: number | null;
  @AnswerField(PRICE) input_price_per_million: number | null;
  @AnswerField(PRICE) cached_input_price_per_million: number | null;
  @AnswerField(PRICE) output_price_per_million: number | null;
  @AnswerField({
    type: 'boolean',
    description:
      'The provider charges more or less under some conditions, such as long prompts or certain hours; the prices here are the base ones',
  })
  prices_vary: boolean;
  @AnswerField(TRUTH) supports_images: boolean | null;
  @AnswerField(TRUTH) supports_files: boolean | null;
  @AnswerField(TRUTH) supports_audio: boolean | null;
  @AnswerField(TRUTH) supports_videos: boolean | null;
}

/** A package that facts come from. */
export class FactSource {
  @AnswerField({ type: 'string' }) package: string;
  @AnswerField({ type: 'string' }) version: string;
}

/** A page of known models, by name; `total` counts what the filter matches. */
export class KnownModelList {
  @AnswerField({ enum: [...PROVIDERS], enumName: 'Provider' }) provider: Provider;
  @AnswerField({ type: [KnownModelView] }) models: KnownModelView[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
  @AnswerField({ type: FactSource, description: 'Of names, context windows and prices' }) source: FactSource;
  @AnswerField({
    type: FactSource,
    description: 'Of supports_* and max_tokens; older than the other, so of newer models these are mostly null',
  })
  media_source: FactSource;
}
