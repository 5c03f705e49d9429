import type { Provider } from '../../contract/providers.js';
import type { GuardedHttpClient } from '../../platform/http/outbound/guarded-client.js';
import type { ChatProvider } from './provider.js';

/** What a provider is, apart from its code. */
export interface ProviderEntry {
  name: string;
  /** null: every config must name its own address. */
  defaultApiBase: string | null;
  requiresApiKey: boolean;
  description: string;
  /** Imports the code of its wire format, at its first call; null: not callable yet. */
  load: ((client: GuardedHttpClient) => Promise<ChatProvider>) | null;
}

const openAiWire = async (client: GuardedHttpClient): Promise<ChatProvider> => {
  const { OpenAiWire } = await import('./openai-wire.js');
  return new OpenAiWire(client);
};

/** One line per provider. A new wire format is one file beside this one and one line here. */
export const PROVIDER_REGISTRY: Record<Provider, ProviderEntry> = {
  openai: { name: 'OpenAI', defaultApiBase: 'https://api.openai.com/v1', requiresApiKey: true, description: 'OpenAI', load: openAiWire },
  local: { name: 'Local', defaultApiBase: 'http://127.0.0.1:11434/v1', requiresApiKey: false, description: 'An OpenAI-compatible server of your own: Ollama, vLLM, llama.cpp', load: openAiWire },
  openai_compatible: { name: 'OpenAI-compatible', defaultApiBase: null, requiresApiKey: true, description: "Any service that speaks OpenAI's format", load: openAiWire },
  huggingface: { name: 'Hugging Face', defaultApiBase: 'https://router.huggingface.co/v1', requiresApiKey: true, description: 'Hugging Face router', load: openAiWire },
  azure_openai: { name: 'Azure OpenAI', defaultApiBase: null, requiresApiKey: true, description: 'Azure OpenAI', load: null },
  gemini: { name: 'Google Gemini', defaultApiBase: 'https://generativelanguage.googleapis.com/v1beta', requiresApiKey: true, description: 'Google Gemini', load: null },
  claude: { name: 'Anthropic Claude', defaultApiBase: 'https://api.anthropic.com/v1', requiresApiKey: true, description: 'Anthropic Claude', load: null },
};
