import type { ErrorCode } from '../../contract/error-codes.js';
import { CALL_OUTCOMES } from '../../contract/usage.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { Texts } from '../../platform/http/accept-language.js';
import { type ErrorClass, ProviderError } from '../providers/provider-error.js';

/** Why a test failed: the classes of every call, and what kept a call from being made. */
export const TEST_FAILURES = [
  ...CALL_OUTCOMES.filter((outcome) => outcome !== 'ok'),
  'credential_missing',
  'unsupported',
  'modality',
  'prompt',
] as const;
export type TestFailureClass = ErrorClass | 'credential_missing' | 'unsupported' | 'modality' | 'prompt';

/** A failure that is the answer of a test. */
export interface TestFailure {
  errorClass: TestFailureClass;
  code: ErrorCode;
  /** The provider's HTTP status; null: it gave none. */
  providerStatus: number | null;
  /** The provider's own words, or the hub's where it asked nobody; scrubbed of secrets. */
  words: string | null;
  /** OpenAI's `param` of the provider's error. */
  param: string | null;
}

/** What is wrong with the model, before its provider is asked. */
const CLASS_OF_CODE: Partial<Record<ErrorCode, TestFailureClass>> = {
  credential_missing: 'credential_missing',
  credential_unavailable: 'credential_unavailable',
  operation_not_supported: 'unsupported',
  parameter_not_supported: 'unsupported',
  modality_not_supported: 'modality',
  file_too_large: 'modality',
  media_not_allowed: 'modality',
  media_not_available: 'modality',
  default_prompt_not_usable: 'prompt',
  rate_limit_exceeded: 'rate_limit',
};

/** null: nothing that a test could tell of the model, such as a caller who left. */
export const testFailureOf = (error: unknown): TestFailure | null => {
  if (!(error instanceof AppError)) return null;
  const { code, cause } = error;
  if (cause instanceof ProviderError) {
    if (cause.errorClass === 'client_gone') return null;
    const { status = null, message = null, param = null } = cause.details;
    return { errorClass: cause.errorClass, code, providerStatus: status, words: message, param };
  }
  const errorClass = CLASS_OF_CODE[code];
  return errorClass ? { errorClass, code, providerStatus: null, words: error.detail, param: null } : null;
};

interface FailureTexts {
  /** What happened. */
  what: Texts;
  /** What to do about it. */
  hint: Texts;
}

const texts = (whatZh: string, whatEn: string, hintZh: string, hintEn: string): FailureTexts => ({
  what: { 'zh-CN': whatZh, en: whatEn },
  hint: { 'zh-CN': hintZh, en: hintEn },
});

/** For a key that the provider knows and refused this call all the same. */
export const KEY_LACKS_PERMISSION: Texts = {
  'zh-CN': '服务商认识该密钥（可以列出模型），但它无权使用此模型；请在服务商处检查密钥的权限和账户可用的模型。',
  en: "The provider knows the key (it may list models), but it may not use this one; check the key's permissions and the models of the account.",
};

export const FAILURE_TEXTS: Readonly<Record<TestFailureClass, FailureTexts>> = {
  auth: texts(
    '服务商拒绝了密钥。',
    'The provider refused the key.',
    '请检查密钥是否完整、未过期，且属于该地址的服务商；若密钥在别处可用，请确认它有权使用此模型。',
    'Check that the key is complete, not expired, and of the provider at this address; if it works elsewhere, check that it may use this model.',
  ),
  quota: texts(
    '服务商账户的额度已用完。',
    "The provider account's quota is used up.",
    '请在服务商处充值或提高额度；密钥本身是有效的。',
    "Add credit or raise the limit at the provider's; the key itself is known there.",
  ),
  rate_limit: texts(
    '已达到速率限制。',
    'A rate limit is reached.',
    '请稍后重试；若经常发生，请检查 rate_limit_per_minute 或服务商的限额。',
    "Try again shortly; if it happens often, look at rate_limit_per_minute and at the provider's own limits.",
  ),
  overloaded: texts(
    '服务商暂时过载，或模型正在加载。',
    'The provider is overloaded, or still loads the model.',
    '请稍后重试。',
    'Try again in a moment.',
  ),
  context_too_long: texts(
    '对该模型而言请求过长。',
    'The request is too long for the model.',
    '请检查默认系统提示词的长度和服务器的上下文设置。',
    "Look at the length of the default system prompt and at the server's context setting.",
  ),
  content_filter: texts(
    '服务商的内容过滤器拒绝了请求。',
    "The provider's content filter refused the request.",
    '请检查默认系统提示词，以及账户的内容过滤设置。',
    "Look at the default system prompt, and at the account's filter settings.",
  ),
  not_found: texts(
    '服务商没有此模型，或此地址下没有接口。',
    'The provider does not have this model, or nothing answers at this path.',
    '请检查 model_name 和 api_base（多数服务的地址以 /v1 结尾）；POST /configs/{id}/discover 可列出服务商的模型。',
    'Check model_name and api_base (most end in /v1); POST /configs/{id}/discover lists what the provider has.',
  ),
  timeout: texts(
    '服务商未在时限内应答。',
    'The provider did not answer in time.',
    '请检查 api_base 与网络；若模型需要较长时间加载，请提高 request_timeout（测试最多等待 60 秒）。',
    'Check api_base and the network; raise request_timeout if the model takes long to load (a test waits 60 seconds at most).',
  ),
  network: texts(
    '无法连接到服务商。',
    'The provider cannot be reached.',
    '请检查 api_base 的主机名和端口、服务器是否已启动，以及本机能否访问外网。',
    'Check host and port of api_base, that the server is running, and that this machine may reach it.',
  ),
  server: texts(
    '服务商内部出错。',
    'The provider failed.',
    '请稍后重试，或查看服务商的状态页与服务器日志。',
    "Try again later, or look at the provider's status page or the server's log.",
  ),
  bad_request: texts(
    '服务商拒绝了请求。',
    'The provider refused the request.',
    '请查看服务商的说明；常见原因是 custom_parameters、default_temperature 或 default_top_p 不被该模型接受，或 provider 选错。',
    "Read the provider's words; often the model does not take custom_parameters, default_temperature or default_top_p, or provider is not the right one.",
  ),
  bad_answer: texts(
    '应答无法识别，对方可能不是模型接口。',
    'The answer cannot be read; this may be no model API.',
    '请检查 api_base 是否指向接口而不是网页或代理，以及 provider 是否正确。',
    'Check that api_base leads to the API and not to a web page or a proxy, and that provider is right.',
  ),
  blocked_destination: texts(
    '该地址不允许访问。',
    'This address is not allowed.',
    '请使用公网 https 地址，或由运维人员把该来源加入 ALLOWED_PRIVATE_ORIGINS。',
    'Use a public https address, or have the operator list the origin in ALLOWED_PRIVATE_ORIGINS.',
  ),
  credential_unavailable: texts(
    '存储的密钥无法解密。',
    'The stored key cannot be decrypted.',
    '请重新输入密钥，或恢复原来的加密密钥环。',
    'Enter the key again, or bring back the key ring it was encrypted with.',
  ),
  credential_missing: texts(
    '尚未存储密钥。',
    'No key is stored yet.',
    '请输入密钥；若服务器不需要密钥，请将 is_local 设为 true。',
    'Enter the key; for a server that needs none, set is_local to true.',
  ),
  unsupported: texts(
    '目前无法以这种方式调用该服务商的模型。',
    'Models of this provider cannot be called this way.',
    '请选择其他 provider 或其他测试方式（modality）。',
    'Choose another provider, or another modality for the test.',
  ),
  modality: texts(
    '该模型的配置不接受这类输入。',
    'The config of this model does not take such input.',
    '若模型支持，请先打开对应的 supports_* 选项，并检查 supported_file_types 与 max_file_size_mb。',
    'If the model does, switch on supports_* for it first, and look at supported_file_types and max_file_size_mb.',
  ),
  prompt: texts(
    '默认系统提示词无法使用。',
    'The default system prompt cannot be used.',
    '请检查 system_prompt_name 和 system_prompt_label，以及该提示词是否启用且无需变量即可使用。',
    'Check system_prompt_name and system_prompt_label, and that the prompt is active and usable without values.',
  ),
  client_gone: texts('调用方已离开。', 'The caller left.', '请重新测试。', 'Test again.'),
};
