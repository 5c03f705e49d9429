import type { TestHub } from './hub.js';
import { savePrompt } from './prompts.js';

/** One writable field of a config, as product.md describes it. */
export interface FieldCase {
  /** A value that is not the default. */
  set: unknown;
  /** Another one. */
  other: unknown;
  /** What a config has that was created without it. */
  initial: unknown;
  nullable: boolean;
  /** Values that are refused with 400. */
  bad: unknown[];
}

const texts = (max: number): unknown[] => ['', 'x'.repeat(max + 1), 7, true, [], {}];
const NO_BOOLEANS = ['true', 1, 0, [], {}];
const numbers = (low: number, high: number): unknown[] => [low, high, '5', true, [], {}];

const flag = (initial: boolean): FieldCase => ({
  set: !initial,
  other: initial,
  initial,
  nullable: false,
  bad: NO_BOOLEANS,
});

/** Every writable field but the required three and the two secrets; a test compares the names with the document. */
export const FIELD_CASES: Record<string, FieldCase> = {
  display_name: { set: 'Fast 快 🚀', other: 'x'.repeat(200), initial: null, nullable: true, bad: texts(200) },
  description: { set: 'line\nline', other: 'x'.repeat(10_000), initial: null, nullable: true, bad: texts(10_000) },
  api_base: {
    set: 'http://127.0.0.1:18080/other',
    other: 'http://127.0.0.1:18080/v1/',
    initial: null,
    nullable: true,
    bad: texts(500),
  },
  api_version: {
    set: '2024-10-21',
    other: 'v1_beta.2',
    initial: null,
    nullable: true,
    bad: [...texts(50), 'a b', 'a/b'],
  },
  max_tokens: { set: 1, other: 10_000_000, initial: 4096, nullable: false, bad: numbers(0, 10_000_001) },
  context_window: { set: 128_000, other: 1, initial: null, nullable: true, bad: [...numbers(0, 1e8 + 1), 1.5] },
  default_temperature: { set: 0, other: 0.7, initial: null, nullable: true, bad: numbers(-0.1, 2.1) },
  default_top_p: { set: 1, other: 0.05, initial: null, nullable: true, bad: numbers(-0.1, 1.1) },
  is_local: flag(false),
  is_streaming_supported: flag(true),
  supports_files: flag(false),
  supports_images: flag(false),
  supports_videos: flag(false),
  supports_audio: flag(false),
  supported_file_types: {
    set: ['image/*', 'application/pdf'],
    other: [],
    initial: null,
    nullable: true,
    bad: ['image/*', [''], ['pdf'], ['*/*'], [7], [null], ['text/plain', 'text/plain'], {}],
  },
  max_file_size_mb: { set: 20, other: 10_000, initial: null, nullable: true, bad: [...numbers(0, 10_001), 0.5] },
  custom_parameters: {
    set: { seed: 7, nested: { list: [1, null, 'a'] } },
    other: {},
    initial: null,
    nullable: true,
    bad: ['{}', 7, [], { model: 'x' }, { messages: [] }, { stream: true }, { long: 'x'.repeat(65_536) }],
  },
  is_enabled: flag(true),
  priority: {
    set: -5,
    other: 1_000_000,
    initial: 0,
    nullable: false,
    bad: [...numbers(-1_000_001, 1_000_001), 1.5],
  },
  fallback_aliases: {
    set: ['second', 'team/third'],
    other: ['second'],
    initial: [],
    nullable: false,
    bad: ['second', ['bad alias'], ['auto'], [7], [null], ['a', 'a'], Array.from({ length: 21 }, (_, i) => `a${i}`)],
  },
  tags: {
    set: { team: 'search', env: 'prod' },
    other: { 'a b': '' },
    initial: {},
    nullable: false,
    bad: ['a:b', [], { a: 7 }, { a: null }, { 'a:b': 'c' }, { '': 'c' }, { a: 'x'.repeat(201) }],
  },
  system_prompt_name: { set: 'support-v2', other: 'a', initial: null, nullable: true, bad: [...texts(100), 'A', '-a'] },
  system_prompt_label: { set: 'production', other: 'a', initial: null, nullable: true, bad: [...texts(36), '1a', 'A'] },
  request_timeout: { set: 1, other: 3600, initial: null, nullable: true, bad: [...numbers(0, 3601), 1.5] },
  max_retries: { set: 0, other: 10, initial: 3, nullable: false, bad: [...numbers(-1, 11), 1.5] },
  rate_limit_per_minute: { set: 1, other: 60, initial: null, nullable: true, bad: [...numbers(0, 1e7 + 1), 1.5] },
  input_price_per_million: { set: 0.15, other: 0, initial: null, nullable: true, bad: numbers(-1, 1_000_001) },
  cached_input_price_per_million: { set: 0.075, other: 0, initial: null, nullable: true, bad: numbers(-1, 1_000_001) },
  output_price_per_million: { set: 0.6, other: 1_000_000, initial: null, nullable: true, bad: numbers(-1, 1_000_001) },
};

/** The required ones: a create without them is refused, and a PUT cannot clear them. */
export const REQUIRED_CASES: Record<string, Omit<FieldCase, 'initial'>> = {
  alias: {
    set: 'renamed/one:2',
    other: 'B'.repeat(100),
    nullable: false,
    bad: [...texts(100), 'auto', '-a', 'a b', 'a?b', 'ä', 'a\n'],
  },
  provider: { set: 'local', other: 'openai', nullable: false, bad: ['', 'OPENAI', 'other', 7, [], ['openai'], {}] },
  model_name: { set: 'gpt-4o-mini', other: '模型', nullable: false, bad: texts(200) },
};

/** The system prompts that these fields name: a config can name none that is not there. */
export const saveNamedPrompts = async (hub: Pick<TestHub, 'request'>): Promise<void> => {
  for (const name of ['support-v2', 'a']) await savePrompt(hub, { name, labels: { production: 1, a: 1 } });
};
