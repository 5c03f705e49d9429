import { isPlainObject } from '../../../contract/fields.js';
import { asContextWindow, asMaxTokens, asName, factsFrom, type ModelFacts } from '../../known-models/model-facts.js';
import type { ListedEntry } from '../listed-facts.js';

/** A provider's way to list its models. */
export interface ModelList {
  /** Headers that it wants beside those of the config. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The path of a page; `after`: what the page before said of the next. */
  page(after: string | null): string;
  /** Its entries, and how the next page is asked for; null: there is none. */
  read(answer: ListedEntry): { entries: unknown; next: unknown };
  /** As configs name the model; null: it has no name. */
  nameOf(entry: ListedEntry): string | null;
  factsOf(entry: ListedEntry): ModelFacts;
}

const fieldsOf = (value: unknown): ListedEntry => (isPlainObject(value) ? value : {});

const isSupported = (capability: unknown): boolean | null => {
  const { supported } = fieldsOf(capability);
  return typeof supported === 'boolean' ? supported : null;
};

const queryOf = (fields: Record<string, string | null>): string =>
  String(new URLSearchParams(Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== null)));

/** `GET /v1/models`: what a model takes is told in `capabilities`. */
export const ANTHROPIC_MODELS: ModelList = {
  headers: { 'anthropic-version': '2023-06-01' },
  page: (after) => `models?${queryOf({ limit: '1000', after_id: after })}`,
  read: ({ data, has_more: hasMore, last_id: last }) => ({ entries: data, next: hasMore === true ? last : null }),
  nameOf: ({ id }) => asName(id),
  factsOf: (entry) => {
    const capabilities = fieldsOf(entry['capabilities']);
    return factsFrom({
      display_name: asName(entry['display_name']),
      context_window: asContextWindow(entry['max_input_tokens']),
      max_tokens: asMaxTokens(entry['max_tokens']),
      supports_images: isSupported(capabilities['image_input']),
      supports_files: isSupported(capabilities['pdf_input']),
    });
  },
};

/** `GET /v1beta/models`: limits, and nothing of what a model takes. */
export const GOOGLE_MODELS: ModelList = {
  page: (after) => `models?${queryOf({ pageSize: '1000', pageToken: after })}`,
  read: ({ models, nextPageToken }) => ({ entries: models, next: nextPageToken }),
  nameOf: ({ name }) => asName(typeof name === 'string' ? name.replace(/^models\//, '') : null),
  factsOf: (entry) =>
    factsFrom({
      display_name: asName(entry['displayName']),
      context_window: asContextWindow(entry['inputTokenLimit']),
      max_tokens: asMaxTokens(entry['outputTokenLimit']),
    }),
};
