import type { Provider } from './providers.js';
import type { CallOutcome } from './usage.contract.js';

/** In what a server that speaks OpenAI's wire format differs from OpenAI, as far as a call has to mind it. */
export interface Quirk {
  /** Only for models whose name matches this expression; absent: for all of them. */
  models?: string;
  /** OpenAI's name of a parameter, and what this server calls it. */
  renamed?: Readonly<Record<string, string>>;
  /** Parameters it refuses, or takes without minding them: not sent, and told to the caller. */
  dropped?: readonly string[];
  /** Fields of messages it refuses: not sent, and told to the caller. */
  droppedFromMessages?: readonly string[];
  /** It knows no role `developer`: such messages are sent as `system`. */
  developerIsSystem?: true;
  /** It refuses `stream_options`, and tells the usage of a stream without being asked. */
  noStreamOptions?: true;
  /** The first `api_version` that knows `stream_options`. */
  streamOptionsSince?: string;
  /** It has a use for what an entrance adds to OpenAI's format, such as `cache_control`. */
  keepsExtensions?: true;
  /** It may fail with status 200, and says so in `base_resp: {status_code, status_msg}` beside OpenAI's fields. */
  failsInBaseResp?: true;
  /** What its own codes or types of errors mean, where the status does not say it. */
  errors?: Readonly<Record<string, Exclude<CallOutcome, 'ok'>>>;
}

/** Newer than the servers that speak the format: those know only the older name. */
export const ONLY_MAX_TOKENS: Quirk = { renamed: { max_completion_tokens: 'max_tokens' } };
export const NO_DEVELOPER: Quirk = { developerIsSystem: true };

/** OpenAI's reasoning models refuse the older name. */
const REASONING_LIMIT: Quirk = {
  models: '^(?:ft:|openai/)?(?:o[0-9]|gpt-5)',
  renamed: { max_tokens: 'max_completion_tokens' },
};

/** What goes for a provider whatever its address; those of the presets come on top. */
export const PROVIDER_QUIRKS: Partial<Record<Provider, readonly Quirk[]>> = {
  openai: [REASONING_LIMIT],
  azure_openai: [REASONING_LIMIT, { streamOptionsSince: '2024-09-01' }],
  local: [ONLY_MAX_TOKENS, NO_DEVELOPER],
};
