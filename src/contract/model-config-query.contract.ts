import {
  AnswerField,
  BooleanField,
  ChoiceField,
  fromQueryBoolean,
  fromQueryInteger,
  IntegerField,
  satisfies,
  TextField,
} from './fields.js';
import { MODEL_STATUSES, PROVIDERS, type ModelStatus, type Provider } from './providers.js';

/** Columns a list can be sorted by, on the wire and in SQL alike. */
export const SORTABLE_FIELDS = [
  'alias',
  'provider',
  'model_name',
  'display_name',
  'status',
  'priority',
  'usage_count',
  'error_count',
  'last_used_at',
  'created_at',
  'updated_at',
] as const;

const sortProblem = (value: unknown): string | null => {
  const known = new Set<string>(SORTABLE_FIELDS);
  const parts = typeof value === 'string' ? value.split(',') : [''];
  return parts.length <= 5 && parts.every((part) => known.has(part.replace(/^-/, '')))
    ? null
    : `must be up to five of ${SORTABLE_FIELDS.join(', ')}, separated by commas, each with - in front for descending`;
};

const tagFilterProblem = (value: unknown): string | null => {
  const filters: unknown[] = Array.isArray(value) ? value : [value];
  return filters.length <= 10 &&
    filters.every((filter) => typeof filter === 'string' && filter.length <= 300 && /^[^:]+:/.test(filter))
    ? null
    : 'must be of the form key:value (at most ten of them)';
};

/** Query of `GET /configs`; all filters can be combined. */
export class ModelConfigQuery {
  @ChoiceField(PROVIDERS, { name: 'Provider' })
  provider?: Provider;

  @ChoiceField(MODEL_STATUSES, { name: 'ModelStatus' })
  status?: ModelStatus;

  @fromQueryBoolean()
  @BooleanField({})
  is_local?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  supports_files?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  supports_images?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  supports_videos?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  supports_audio?: boolean;

  @AnswerField({ type: 'string', required: false, description: 'key:value; repeat it to ask for several' })
  @OptionalFilter('tagFilter', tagFilterProblem)
  tag?: string | string[];

  @TextField({ max: 200, description: 'Found in alias, names or description' })
  q?: string;

  @AnswerField({ type: 'string', required: false, default: '-priority,alias', example: '-priority,alias' })
  @OptionalFilter('sort', sortProblem)
  sort?: string;

  @fromQueryInteger()
  @IntegerField({ min: 0, max: 1_000_000_000, default: 0 })
  skip?: number;

  @fromQueryInteger()
  @IntegerField({ min: 1, max: 1000, default: 100 })
  limit?: number;
}

function OptionalFilter(name: string, problem: (value: unknown) => string | null): PropertyDecorator {
  return satisfies(name, (value) => (value === undefined ? null : problem(value)));
}
