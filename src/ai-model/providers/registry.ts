import type { Provider } from '../../contract/providers.js';
import type { GuardedHttpClient } from '../../platform/http/outbound/guarded-client.js';
import type { SdkWire } from './ai-sdk/sdk-wire.js';
import type { ChatProvider } from './provider.js';

/** Imports the code of a wire format, at the first call that needs it. */
type Load = (client: GuardedHttpClient, defaultApiBase: string | null) => Promise<ChatProvider>;

/** What a provider is, apart from its code. */
export interface ProviderEntry {
  name: string;
  /** null: every config must name its own address. */
  defaultApiBase: string | null;
  requiresApiKey: boolean;
  load: Load;
}

const openAiWire: Load = async (client, defaultApiBase) => {
  const { OpenAiWire } = await import('./openai-wire.js');
  return new OpenAiWire(client, defaultApiBase);
};

const azureWire: Load = async (client, defaultApiBase) => {
  const [{ OpenAiWire }, { AZURE_SERVER }] = await Promise.all([
    import('./openai-wire.js'),
    import('./azure-server.js'),
  ]);
  return new OpenAiWire(client, defaultApiBase, AZURE_SERVER);
};

/** A wire of the AI SDK, with its library. */
const sdkWire =
  (importWire: () => Promise<SdkWire>): Load =>
  async (client, defaultApiBase) => {
    const { SdkProvider } = await import('./ai-sdk/sdk-provider.js');
    return new SdkProvider(client, defaultApiBase, await importWire());
  };

const anthropicWire = sdkWire(async () => (await import('./ai-sdk/anthropic.js')).ANTHROPIC);
const geminiWire = sdkWire(async () => (await import('./ai-sdk/gemini.js')).GEMINI);

const cohereWire = sdkWire(async () => (await import('./ai-sdk/cohere.js')).COHERE);
const bedrockWire = sdkWire(async () => (await import('./ai-sdk/bedrock.js')).BEDROCK);
const vertexWire = sdkWire(async () => (await import('./ai-sdk/vertex.js')).VERTEX);

const GOOGLE = 'https://generativelanguage.googleapis.com/v1beta';

/** One line per provider. A new wire format is one file beside this one and one line here. */
// prettier-ignore
export const PROVIDER_REGISTRY: Record<Provider, ProviderEntry> = {
  openai: { name: 'OpenAI', defaultApiBase: 'https://api.openai.com/v1', requiresApiKey: true, load: openAiWire },
  gemini: { name: 'Google Gemini', defaultApiBase: GOOGLE, requiresApiKey: true, load: geminiWire },
  claude: { name: 'Anthropic Claude', defaultApiBase: 'https://api.anthropic.com/v1', requiresApiKey: true, load: anthropicWire },
  local: { name: 'Local server', defaultApiBase: 'http://127.0.0.1:11434/v1', requiresApiKey: false, load: openAiWire },
  azure_openai: { name: 'Azure OpenAI', defaultApiBase: null, requiresApiKey: true, load: azureWire },
  huggingface: { name: 'Hugging Face', defaultApiBase: 'https://router.huggingface.co/v1', requiresApiKey: true, load: openAiWire },
  openai_compatible: { name: 'OpenAI-compatible', defaultApiBase: null, requiresApiKey: true, load: openAiWire },
  mistral: { name: 'Mistral AI', defaultApiBase: 'https://api.mistral.ai/v1', requiresApiKey: true, load: openAiWire },
  groq: { name: 'Groq', defaultApiBase: 'https://api.groq.com/openai/v1', requiresApiKey: true, load: openAiWire },
  xai: { name: 'xAI', defaultApiBase: 'https://api.x.ai/v1', requiresApiKey: true, load: openAiWire },
  deepseek: { name: 'DeepSeek', defaultApiBase: 'https://api.deepseek.com/v1', requiresApiKey: true, load: openAiWire },
  cohere: { name: 'Cohere', defaultApiBase: 'https://api.cohere.com/v2', requiresApiKey: true, load: cohereWire },
  amazon_bedrock: { name: 'Amazon Bedrock', defaultApiBase: 'https://bedrock-runtime.us-east-1.amazonaws.com', requiresApiKey: true, load: bedrockWire },
  google_vertex: { name: 'Google Vertex AI', defaultApiBase: 'https://aiplatform.googleapis.com/v1/publishers/google', requiresApiKey: true, load: vertexWire },
};
