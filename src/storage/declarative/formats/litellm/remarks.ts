import type { ReportLevel } from '../../../../contract/declarative.contract.js';
import type { Source } from '../report.js';

type Remark = [ReportLevel, string];

const NO_COUNTERPART: Remark = ['unsupported', 'has no counterpart here'];
const PASSED_ON: Remark = ['ignored', 'is not needed: parameters are passed on as they are sent'];
const OWN_DATABASE: Remark = ['ignored', 'is not needed: the hub has a database of its own'];
const TOKENS: Remark = ['unsupported', 'is not taken over: make tokens with POST /api/v1/tokens'];
const LOGS: Remark = ['ignored', 'is a matter of LOG_LEVEL and LOG_FORMAT here'];
const SHARED: Remark = ['ignored', 'is a matter of the process, not of its models'];
const CAPABILITY: Remark = ['ignored', 'is not needed: tools and formats are passed on as they are sent'];
const NOTE: Remark = ['ignored', 'says nothing about calling the model'];

/** What there is to say of a key that is not used, by where it stands. */
// prettier-ignore
const REMARKS = {
  model: {
    model_id: NOTE,
  },
  litellm_params: {
    drop_params: PASSED_ON, additional_drop_params: PASSED_ON, allowed_openai_params: PASSED_ON, modify_params: PASSED_ON,
    tpm: ['unsupported', 'has no counterpart here: there is a limit of calls per minute (rpm) only'],
    weight: ['unsupported', 'has no counterpart here: models of one group are tried in order'],
    stream_timeout: ['unsupported', 'has no counterpart here: one timeout holds for both'],
    tags: ['unsupported', 'has no counterpart here: calls are not routed by tags'],
    azure_ad_token: ['unsupported', 'has no counterpart here: the model needs an api_key'],
    mock_response: ['unsupported', 'has no counterpart here'],
    max_budget: ['unsupported', 'has no counterpart here: costs are counted, not limited'],
    budget_duration: ['unsupported', 'has no counterpart here: costs are counted, not limited'],
    metadata: NOTE,
  },
  model_info: {
    id: ['ignored', 'is not needed: every model gets an id of its own'],
    base_model: ['ignored', 'is not needed: prices and limits stand in the model itself'],
    supports_function_calling: CAPABILITY, supports_parallel_function_calling: CAPABILITY, supports_tool_choice: CAPABILITY,
    supports_response_schema: CAPABILITY, supports_system_messages: CAPABILITY, supports_reasoning: CAPABILITY,
    supports_prompt_caching: CAPABILITY, supports_assistant_prefill: CAPABILITY, supports_web_search: CAPABILITY,
    supported_openai_params: CAPABILITY, version: NOTE, metadata: NOTE, tier: NOTE, updated_at: NOTE, updated_by: NOTE,
    created_at: NOTE, created_by: NOTE, db_model: NOTE, litellm_provider: NOTE,
  },
  litellm_settings: {
    drop_params: PASSED_ON, modify_params: PASSED_ON, set_verbose: LOGS, json_logs: LOGS, telemetry: LOGS,
    success_callback: ['unsupported', 'has no counterpart here: calls are counted, their content is kept nowhere'],
    failure_callback: ['unsupported', 'has no counterpart here: calls are counted, their content is kept nowhere'],
    callbacks: ['unsupported', 'has no counterpart here: calls are counted, their content is kept nowhere'],
    turn_off_message_logging: ['ignored', 'is not needed: the content of calls is kept nowhere'],
    cache: ['unsupported', 'has no counterpart here: answers are not cached'],
    cache_params: ['unsupported', 'has no counterpart here: answers are not cached'],
    context_window_fallbacks: ['unsupported', 'has no counterpart here: a request that is too long is answered with an error'],
    content_policy_fallbacks: ['unsupported', 'has no counterpart here: what a provider refuses is answered with an error'],
  },
  router_settings: {
    routing_strategy: ['unsupported', 'has no counterpart here: models of one group are tried in order'],
    routing_strategy_args: ['unsupported', 'has no counterpart here: models of one group are tried in order'],
    model_group_alias: ['unsupported', 'has no counterpart here: save a second model with the other alias'],
    context_window_fallbacks: ['unsupported', 'has no counterpart here: a request that is too long is answered with an error'],
    content_policy_fallbacks: ['unsupported', 'has no counterpart here: what a provider refuses is answered with an error'],
    redis_host: SHARED, redis_port: SHARED, redis_password: SHARED, redis_url: SHARED, set_verbose: LOGS,
  },
  general_settings: {
    master_key: TOKENS, custom_auth: TOKENS, enable_jwt_auth: TOKENS, litellm_jwtauth: TOKENS, user_api_key_cache_ttl: TOKENS,
    database_url: OWN_DATABASE, database_connection_pool_limit: OWN_DATABASE, database_connection_timeout: OWN_DATABASE,
    store_model_in_db: ['ignored', 'is not needed: models are always in the database'],
    alerting: ['unsupported', 'has no counterpart here yet'], alerting_threshold: ['unsupported', 'has no counterpart here yet'],
  },
} satisfies Record<string, Record<string, Remark>>;

/** Reports every key that was not used. */
export const reportRest = (source: Source, place: keyof typeof REMARKS): void => {
  const remarks = new Map<string, Remark>(Object.entries(REMARKS[place]));
  for (const key of source.rest) {
    const [level, message] = remarks.get(key) ?? NO_COUNTERPART;
    source.say(level, key, message);
  }
};
