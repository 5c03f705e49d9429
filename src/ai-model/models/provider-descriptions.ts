import type { Provider } from '../../contract/providers.js';
import type { Texts } from '../../platform/http/accept-language.js';

/** What a message can contain, as far as a wire format can carry it; whether a model takes it, its config says. */
export const INPUT_KINDS = ['text', 'image', 'file', 'audio', 'video'] as const;
export type InputKind = (typeof INPUT_KINDS)[number];

interface ProviderDescription {
  inputs: readonly InputKind[];
  text: Texts;
}

const TEXT_ALONE: readonly InputKind[] = ['text'];
const WITH_IMAGES: readonly InputKind[] = ['text', 'image'];
const EVERYTHING = INPUT_KINDS;
const NO_VIDEO: readonly InputKind[] = ['text', 'image', 'file', 'audio'];
const NO_SOUND: readonly InputKind[] = ['text', 'image', 'file'];

const described = (inputs: readonly InputKind[], zh: string, en: string): ProviderDescription => ({
  inputs,
  text: { 'zh-CN': zh, en },
});

/** What is said of each provider; a forgotten one does not compile. */
export const PROVIDER_DESCRIPTIONS: Readonly<Record<Provider, ProviderDescription>> = {
  openai: described(NO_VIDEO, 'OpenAI 官方接口', "OpenAI's own API"),
  gemini: described(EVERYTHING, 'Google Gemini 官方接口', "Google's Gemini API"),
  claude: described(NO_SOUND, 'Anthropic Claude 官方接口', "Anthropic's Claude API"),
  local: described(
    EVERYTHING,
    '本地或自建的 OpenAI 兼容服务器，如 Ollama、vLLM、LM Studio、llama.cpp；通常不需要密钥',
    'An OpenAI-compatible server of your own, such as Ollama, vLLM, LM Studio or llama.cpp; mostly without a key',
  ),
  azure_openai: described(
    NO_VIDEO,
    'Azure OpenAI：api_base 填资源地址，model_name 填部署名',
    "Azure OpenAI: api_base is the resource's address, model_name the deployment",
  ),
  huggingface: described(
    EVERYTHING,
    'Hugging Face 路由：由其背后的多家服务商提供模型',
    "Hugging Face's router to models of many providers",
  ),
  openai_compatible: described(
    EVERYTHING,
    '任何 OpenAI 兼容接口；必须填写 api_base',
    'Any other OpenAI-compatible API; api_base must be set',
  ),
  mistral: described(WITH_IMAGES, 'Mistral AI 官方接口', "Mistral AI's own API"),
  groq: described(WITH_IMAGES, 'Groq 官方接口', "Groq's own API"),
  xai: described(WITH_IMAGES, 'xAI Grok 官方接口', "xAI's own API"),
  deepseek: described(TEXT_ALONE, 'DeepSeek 深度求索官方接口', "DeepSeek's own API"),
  cohere: described(WITH_IMAGES, 'Cohere 官方接口', "Cohere's own API"),
  amazon_bedrock: described(
    NO_SOUND,
    'Amazon Bedrock：api_base 填所在区域的地址',
    "Amazon Bedrock: api_base is the region's address",
  ),
  google_vertex: described(
    EVERYTHING,
    'Google Vertex AI：api_base 填项目和区域的地址',
    'Google Vertex AI: api_base is the address of project and location',
  ),
};
