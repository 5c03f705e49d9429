import { PROVIDERS_THAT_NEED_API_BASE, type Provider } from '../../contract/providers.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import type { OutboundPolicy } from '../../platform/http/outbound/outbound-policy.js';

interface Checked {
  alias: string;
  provider: Provider;
  apiBase: string | null;
  fallbackAliases: string[];
}

/** What must hold between the fields of a config; each field by itself is checked by the contract. */
export const checkConfig = (config: Checked, policy: OutboundPolicy, before: Checked | null): void => {
  if (config.apiBase === null && PROVIDERS_THAT_NEED_API_BASE.includes(config.provider)) {
    const message = `api_base must be set for provider ${config.provider}: it has no default address`;
    throw new AppError('api_base_required', { detail: message, fields: [{ field: 'api_base', message }] });
  }
  // An address that is not allowed any more is refused at the call; here it must not keep the config from being changed.
  if (config.apiBase !== null && config.apiBase !== before?.apiBase) checkAddress(config.apiBase, policy);
  if (config.fallbackAliases.includes(config.alias)) {
    throw invalidFields({
      field: 'fallback_aliases',
      message: "fallback_aliases must not contain the config's own alias",
    });
  }
};

const checkAddress = (apiBase: string, policy: OutboundPolicy): void => {
  const verdict = policy.checkUrl(apiBase);
  if (!('refused' in verdict)) return;
  const { message } = verdict.refused;
  throw new AppError('api_base_not_allowed', { detail: message, fields: [{ field: 'api_base', message }] });
};
