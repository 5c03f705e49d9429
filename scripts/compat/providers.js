// The providers of the compatibility table, each by the wire it speaks; `url` is where the mock speaks all of them.

/** What a provider has no place for, by feature, with the reason that the table gives. */
const NO_EMBEDDINGS = {
  'embeddings (float)': 'the provider makes no embeddings',
  'embeddings (base64)': 'the provider makes no embeddings',
};

const NOT_CALLED = {
  'embeddings (float)': "the provider's vectors are another API, which the hub does not call",
  'embeddings (base64)': "the provider's vectors are another API, which the hub does not call",
};

/** Gemini is asked for several vectors at once. */
const WITHOUT_BATCHES = {
  'embeddings (float)': 'the mock knows no batchEmbedContents',
  'embeddings (base64)': 'the mock knows no batchEmbedContents',
};

const WITHOUT_VECTORS_OF_BEDROCK = {
  'embeddings (float)': "the mock makes no vectors in Bedrock's way",
  'embeddings (base64)': "the mock makes no vectors in Bedrock's way",
};

const UNLIKE_COHERE = {
  stream: "the mock's stream begins otherwise than Cohere's",
  'embeddings (float)': 'the mock tells no usage of vectors, as Cohere does',
  'embeddings (base64)': 'the mock tells no usage of vectors, as Cohere does',
};

const EMBEDDING_MODEL = 'text-embedding-3-small';

const compatible = (id, name, provider, apiBase, fields = {}) => {
  const config = { provider, api_base: apiBase, api_key: `key-of-${id}`, ...fields };
  return {
    id,
    name,
    chat: { ...config, model_name: 'some-model' },
    embeddings: { ...config, model_name: EMBEDDING_MODEL },
  };
};

export const PROVIDERS = (url) => [
  compatible('openai', 'OpenAI', 'openai', `${url}/v1`),
  compatible('azure', 'Azure OpenAI', 'azure_openai', url, { api_version: '2024-10-21' }),
  compatible('ollama', 'Ollama and other local servers', 'local', `${url}/v1`, { is_local: true }),
  compatible('compatible', 'OpenAI-compatible', 'openai_compatible', `${url}/v1`),
  compatible('huggingface', 'Hugging Face', 'huggingface', `${url}/v1`),
  {
    ...compatible('mistral', 'Mistral', 'mistral', `${url}/v1`),
    without: { stream: 'Mistral tells the usage of a stream unasked, the mock only when asked: nothing to compare' },
  },
  compatible('groq', 'Groq', 'groq', `${url}/v1`),
  compatible('xai', 'xAI', 'xai', `${url}/v1`),
  {
    ...compatible('deepseek', 'DeepSeek', 'deepseek', `${url}/v1`),
    without: { vision: 'the provider takes no images' },
  },
  {
    id: 'claude',
    name: 'Anthropic Claude',
    chat: { provider: 'claude', model_name: 'claude-sonnet-4-5', api_base: `${url}/v1`, api_key: 'key-of-claude' },
    without: NO_EMBEDDINGS,
  },
  {
    id: 'gemini',
    name: 'Google Gemini',
    chat: { provider: 'gemini', model_name: 'gemini-2.5-flash', api_base: `${url}/v1beta`, api_key: 'key-of-gemini' },
    without: WITHOUT_BATCHES,
  },
  {
    id: 'cohere',
    name: 'Cohere',
    chat: { provider: 'cohere', model_name: 'command-a-vision', api_base: `${url}/v2`, api_key: 'key-of-cohere' },
    without: UNLIKE_COHERE,
  },
  {
    id: 'bedrock',
    name: 'Amazon Bedrock',
    chat: { provider: 'amazon_bedrock', model_name: 'some.model-v1:0', api_base: url, api_key: 'key-of-bedrock' },
    without: WITHOUT_VECTORS_OF_BEDROCK,
  },
  {
    id: 'vertex',
    name: 'Google Vertex AI',
    chat: {
      provider: 'google_vertex',
      model_name: 'gemini-2.5-flash',
      api_base: `${url}/v1/projects/p/locations/l/publishers/google`,
      api_key: 'key-of-vertex',
    },
    without: NOT_CALLED,
  },
];
