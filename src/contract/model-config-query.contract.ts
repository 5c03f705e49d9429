import { BooleanField, ChoiceField, fromQueryBoolean, TextField } from './fields.js';
import { Page, SortField, TagFilter } from './list-query.js';
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

/** Query of `GET /configs`; all filters can be combined. */
export class ModelConfigQuery extends Page {
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

  @TagFilter()
  tag?: string | string[];

  @TextField({ max: 200, description: 'Found in alias, names or description' })
  q?: string;

  @SortField(SORTABLE_FIELDS, '-priority,alias')
  sort?: string;
}
