import type { Provider } from '../../../../contract/providers.js';

/** What a prefix of LiteLLM is here. */
export interface Counterpart {
  provider: Provider;
  /** The address LiteLLM knows by itself; null: that of our provider, or none. */
  apiBase: string | null;
  /** The server's own address must be named. */
  needsApiBase?: boolean;
  /** LiteLLM speaks another API of this server; its OpenAI-compatible one is under this path. */
  path?: string;
}

const own = (provider: Provider): Counterpart => ({ provider, apiBase: null });
const compatible = (apiBase: string): Counterpart => ({ provider: 'openai_compatible', apiBase });
const server = (options: Partial<Counterpart> = {}): Counterpart => ({
  provider: 'local',
  apiBase: null,
  needsApiBase: true,
  ...options,
});

const OLLAMA = server({ needsApiBase: false, path: '/v1' });

/** By LiteLLM's prefix, which is its `custom_llm_provider` too. Another OpenAI-compatible host is a line here. */
// prettier-ignore
const BY_PREFIX: Record<string, Counterpart> = {
  openai: own('openai'),
  azure: { provider: 'azure_openai', apiBase: null, needsApiBase: true },
  gemini: own('gemini'),
  anthropic: own('claude'),
  huggingface: own('huggingface'),

  ollama: OLLAMA,
  ollama_chat: OLLAMA,
  hosted_vllm: server(),
  vllm: server(),
  lm_studio: server(),
  llamafile: server(),
  xinference: server(),
  docker_model_runner: server(),
  litellm_proxy: { provider: 'openai_compatible', apiBase: null, needsApiBase: true },
  custom_openai: { provider: 'openai_compatible', apiBase: null, needsApiBase: true },
  openai_like: { provider: 'openai_compatible', apiBase: null, needsApiBase: true },

  cerebras: compatible('https://api.cerebras.ai/v1'),
  codestral: compatible('https://codestral.mistral.ai/v1'),
  dashscope: compatible('https://dashscope-intl.aliyuncs.com/compatible-mode/v1'),
  deepinfra: compatible('https://api.deepinfra.com/v1/openai'),
  deepseek: compatible('https://api.deepseek.com/v1'),
  featherless_ai: compatible('https://api.featherless.ai/v1'),
  fireworks_ai: compatible('https://api.fireworks.ai/inference/v1'),
  friendliai: compatible('https://api.friendli.ai/serverless/v1'),
  github: compatible('https://models.inference.ai.azure.com'),
  groq: compatible('https://api.groq.com/openai/v1'),
  hyperbolic: compatible('https://api.hyperbolic.xyz/v1'),
  lambda_ai: compatible('https://api.lambda.ai/v1'),
  meta_llama: compatible('https://api.llama.com/compat/v1'),
  mistral: compatible('https://api.mistral.ai/v1'),
  moonshot: compatible('https://api.moonshot.ai/v1'),
  nebius: compatible('https://api.studio.nebius.ai/v1'),
  novita: compatible('https://api.novita.ai/v3/openai'),
  nscale: compatible('https://inference.api.nscale.com/v1'),
  nvidia_nim: compatible('https://integrate.api.nvidia.com/v1'),
  openrouter: compatible('https://openrouter.ai/api/v1'),
  perplexity: compatible('https://api.perplexity.ai'),
  sambanova: compatible('https://api.sambanova.ai/v1'),
  together_ai: compatible('https://api.together.xyz/v1'),
  volcengine: compatible('https://ark.cn-beijing.volces.com/api/v3'),
  xai: compatible('https://api.x.ai/v1'),
  zai: compatible('https://api.z.ai/api/paas/v4'),
};

/** What there is here for a prefix; undefined: nothing. */
export const counterpartOf = (prefix: string): Counterpart | undefined =>
  Object.hasOwn(BY_PREFIX, prefix) ? BY_PREFIX[prefix] : undefined;

/** Models that LiteLLM takes without a prefix. */
const BARE_NAMES: [RegExp, string][] = [
  [/^(?:gpt-|chatgpt-|o[134](?:-|$)|text-embedding-|ft:gpt-)/, 'openai'],
  [/^claude-/, 'anthropic'],
];

/** The prefix and the rest of a `model`; the prefix is null when nothing tells it. */
export const splitModel = (
  model: string,
  customProvider: string | undefined,
): { prefix: string | null; name: string } => {
  const slash = model.indexOf('/');
  const first = slash === -1 ? null : model.slice(0, slash);
  if (customProvider !== undefined) {
    return { prefix: customProvider, name: first === customProvider ? model.slice(slash + 1) : model };
  }
  if (first !== null) return { prefix: first, name: model.slice(slash + 1) };
  return { prefix: BARE_NAMES.find(([form]) => form.test(model))?.[1] ?? null, name: model };
};
