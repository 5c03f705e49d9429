import type { Provider } from './providers.js';
import { NO_DEVELOPER, ONLY_MAX_TOKENS, type Quirk } from './quirks.js';

/** A service that speaks OpenAI's wire format, so that adding a model of it is choosing it and pasting a key. */
export interface Preset {
  id: string;
  names: { 'zh-CN': string; en: string };
  provider: Provider;
  api_base: string;
  /** Other addresses of the same service, such as the one for the rest of the world. */
  other_api_bases: readonly string[];
  /** The page where a key is made; null: whoever runs the server decides. */
  key_url: string | null;
  requires_api_key: boolean;
  is_local: boolean;
  quirks: readonly Quirk[];
}

type Facts = Pick<Preset, 'api_base' | 'key_url'> & Partial<Preset>;

const service = (id: string, zh: string, en: string, facts: Facts): Preset => ({
  id,
  names: { 'zh-CN': zh, en },
  provider: 'openai_compatible',
  other_api_bases: [],
  requires_api_key: true,
  is_local: false,
  quirks: [],
  ...facts,
});

const server = (id: string, zh: string, en: string, port: number): Preset =>
  service(id, zh, en, {
    provider: 'local',
    api_base: `http://127.0.0.1:${port}/v1`,
    key_url: null,
    requires_api_key: false,
    is_local: true,
  });

/** As the makers' documentation says, and as users report; where that is not certain, nothing is done. */
export const PRESETS: readonly Preset[] = [
  service('deepseek', 'DeepSeek 深度求索', 'DeepSeek', {
    provider: 'deepseek',
    api_base: 'https://api.deepseek.com/v1',
    key_url: 'https://platform.deepseek.com/api_keys',
    quirks: [ONLY_MAX_TOKENS, NO_DEVELOPER],
  }),
  service('qwen', '通义千问（阿里云百炼）', 'Qwen (Alibaba Cloud DashScope)', {
    api_base: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    other_api_bases: ['https://dashscope-intl.aliyuncs.com/compatible-mode/v1'],
    key_url: 'https://bailian.console.aliyun.com/?tab=model#/api-key',
    quirks: [
      ONLY_MAX_TOKENS,
      NO_DEVELOPER,
      {
        errors: {
          Arrearage: 'quota',
          data_inspection_failed: 'content_filter',
          DataInspectionFailed: 'content_filter',
          'AllocationQuota.FreeTierOnly': 'quota',
        },
      },
    ],
  }),
  service('zhipu', '智谱 GLM', 'Zhipu GLM', {
    api_base: 'https://open.bigmodel.cn/api/paas/v4',
    other_api_bases: ['https://api.z.ai/api/paas/v4'],
    key_url: 'https://open.bigmodel.cn/usercenter/apikeys',
    quirks: [
      ONLY_MAX_TOKENS,
      NO_DEVELOPER,
      {
        errors: {
          '1113': 'quota',
          '1211': 'not_found',
          '1261': 'context_too_long',
          '1301': 'content_filter',
          '1304': 'quota',
        },
      },
    ],
  }),
  service('moonshot', '月之暗面 Kimi', 'Moonshot AI (Kimi)', {
    api_base: 'https://api.moonshot.cn/v1',
    other_api_bases: ['https://api.moonshot.ai/v1'],
    key_url: 'https://platform.moonshot.cn/console/api-keys',
    quirks: [
      NO_DEVELOPER,
      { errors: { exceeded_current_quota_error: 'quota', engine_overloaded_error: 'overloaded' } },
    ],
  }),
  service('doubao', '豆包（火山方舟）', 'Doubao (Volcengine Ark)', {
    api_base: 'https://ark.cn-beijing.volces.com/api/v3',
    key_url: 'https://console.volcengine.com/ark/region:ark+cn-beijing/apiKey',
    quirks: [
      NO_DEVELOPER,
      {
        errors: {
          AccountOverdueError: 'quota',
          ModelNotOpen: 'not_found',
          ServerOverloaded: 'overloaded',
          SensitiveContentDetected: 'content_filter',
          InputTextSensitiveContentDetected: 'content_filter',
          OutputTextSensitiveContentDetected: 'content_filter',
        },
      },
    ],
  }),
  service('minimax', 'MiniMax 稀宇科技', 'MiniMax', {
    api_base: 'https://api.minimaxi.com/v1',
    other_api_bases: ['https://api.minimax.io/v1'],
    key_url: 'https://platform.minimaxi.com/user-center/basic-information/interface-key',
    quirks: [
      NO_DEVELOPER,
      {
        dropped: ['presence_penalty', 'frequency_penalty', 'logit_bias'],
        failsInBaseResp: true,
        errors: {
          '1001': 'timeout',
          '1002': 'rate_limit',
          '1004': 'auth',
          '1008': 'quota',
          '1026': 'content_filter',
          '1027': 'content_filter',
          '1039': 'rate_limit',
          '2013': 'bad_request',
          '2049': 'auth',
        },
      },
    ],
  }),
  service('hunyuan', '腾讯混元', 'Tencent Hunyuan', {
    api_base: 'https://api.hunyuan.cloud.tencent.com/v1',
    key_url: 'https://console.cloud.tencent.com/hunyuan/api-key',
    quirks: [ONLY_MAX_TOKENS, NO_DEVELOPER],
  }),
  service('qianfan', '百度千帆', 'Baidu Qianfan', {
    api_base: 'https://qianfan.baidubce.com/v2',
    key_url: 'https://console.bce.baidu.com/qianfan/ais/console/apiKey',
    quirks: [NO_DEVELOPER],
  }),
  service('siliconflow', '硅基流动', 'SiliconFlow', {
    api_base: 'https://api.siliconflow.cn/v1',
    other_api_bases: ['https://api.siliconflow.com/v1'],
    key_url: 'https://cloud.siliconflow.cn/account/ak',
    quirks: [ONLY_MAX_TOKENS, NO_DEVELOPER, { errors: { '20012': 'not_found', '30001': 'quota' } }],
  }),
  service('stepfun', '阶跃星辰', 'StepFun', {
    api_base: 'https://api.stepfun.com/v1',
    key_url: 'https://platform.stepfun.com/interface-key',
    quirks: [ONLY_MAX_TOKENS, NO_DEVELOPER, { errors: { censorship_blocked: 'content_filter' } }],
  }),
  service('openrouter', 'OpenRouter', 'OpenRouter', {
    api_base: 'https://openrouter.ai/api/v1',
    key_url: 'https://openrouter.ai/settings/keys',
    quirks: [{ keepsExtensions: true }],
  }),
  service('together', 'Together AI', 'Together AI', {
    api_base: 'https://api.together.xyz/v1',
    other_api_bases: ['https://api.together.ai/v1'],
    key_url: 'https://api.together.ai/settings/api-keys',
  }),
  service('fireworks', 'Fireworks AI', 'Fireworks AI', {
    api_base: 'https://api.fireworks.ai/inference/v1',
    key_url: 'https://app.fireworks.ai/settings/users/api-keys',
  }),
  service('groq', 'Groq', 'Groq', {
    provider: 'groq',
    api_base: 'https://api.groq.com/openai/v1',
    key_url: 'https://console.groq.com/keys',
    quirks: [{ dropped: ['logit_bias', 'logprobs', 'top_logprobs'], droppedFromMessages: ['name'] }],
  }),
  service('mistral', 'Mistral AI', 'Mistral AI', {
    provider: 'mistral',
    api_base: 'https://api.mistral.ai/v1',
    other_api_bases: ['https://codestral.mistral.ai/v1'],
    key_url: 'https://console.mistral.ai/api-keys',
    quirks: [
      NO_DEVELOPER,
      {
        renamed: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
        dropped: ['logit_bias', 'logprobs', 'top_logprobs', 'service_tier', 'store', 'user'],
        noStreamOptions: true,
      },
    ],
  }),
  service('xai', 'xAI Grok', 'xAI (Grok)', {
    provider: 'xai',
    api_base: 'https://api.x.ai/v1',
    key_url: 'https://console.x.ai',
    quirks: [
      {
        models: '^grok-(?:3-mini|4(?!.*non-reasoning)|code)',
        dropped: ['presence_penalty', 'frequency_penalty', 'stop'],
      },
    ],
  }),
  service('cerebras', 'Cerebras', 'Cerebras', {
    api_base: 'https://api.cerebras.ai/v1',
    key_url: 'https://cloud.cerebras.ai',
    quirks: [
      NO_DEVELOPER,
      { dropped: ['frequency_penalty', 'logit_bias', 'parallel_tool_calls', 'presence_penalty', 'service_tier'] },
    ],
  }),
  service('perplexity', 'Perplexity', 'Perplexity', {
    api_base: 'https://api.perplexity.ai',
    key_url: 'https://www.perplexity.ai/account/api/keys',
    quirks: [NO_DEVELOPER],
  }),
  service('nvidia', '英伟达 NIM', 'NVIDIA NIM', {
    api_base: 'https://integrate.api.nvidia.com/v1',
    key_url: 'https://build.nvidia.com/settings/api-keys',
  }),
  server('ollama', 'Ollama（本地）', 'Ollama (local)', 11434),
  server('vllm', 'vLLM（本地）', 'vLLM (local)', 8000),
  server('lm_studio', 'LM Studio（本地）', 'LM Studio (local)', 1234),
  server('llama_cpp', 'llama.cpp（本地）', 'llama.cpp (local)', 8080),
];

export const PRESET_IDS: readonly string[] = PRESETS.map(({ id }) => id);

export const presetOf = (id: string): Preset | undefined => PRESETS.find((preset) => preset.id === id);
