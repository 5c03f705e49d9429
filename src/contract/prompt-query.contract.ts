import { BooleanField, fromQueryBoolean, fromQueryInteger, IntegerField, TextField } from './fields.js';
import { Page, SortField, TagFilter } from './list-query.js';
import { LABEL_FORM, LABEL_PATTERN } from './prompt-names.js';

/** Columns a list of prompts can be sorted by, on the wire and in SQL alike. */
export const SORTABLE_PROMPT_FIELDS = [
  'name',
  'display_name',
  'category',
  'language',
  'priority',
  'latest_version',
  'usage_count',
  'last_used_at',
  'created_at',
  'updated_at',
] as const;

/** Query of `GET /prompts`; all filters can be combined. */
export class PromptQuery extends Page {
  @TextField({ max: 200, description: 'Found in the names, the description or the newest text' })
  q?: string;

  @TextField({ max: 60 })
  category?: string;

  @TextField({ max: 35 })
  language?: string;

  @TagFilter()
  tag?: string | string[];

  @TextField({ max: 36, pattern: LABEL_PATTERN, form: LABEL_FORM, description: 'Prompts that have this label' })
  label?: string;

  @fromQueryBoolean()
  @BooleanField({ description: 'true: none that are archived' })
  active_only?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  is_active?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  is_public?: boolean;

  @TextField({ max: 100, description: 'The default prompt of the model with this alias' })
  model_alias?: string;

  @SortField(SORTABLE_PROMPT_FIELDS, '-priority,name')
  sort?: string;
}

/** Query of `GET /prompts/by-name/{name}/resolved`: one of the two, or neither for `production`. */
export class PromptSelection {
  @TextField({ max: 36, pattern: LABEL_PATTERN, form: LABEL_FORM })
  label?: string;

  @fromQueryInteger()
  @IntegerField({ min: 1, max: 2_147_483_647 })
  version?: number;
}
