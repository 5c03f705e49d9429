import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Provider } from '../../contract/providers.js';
import { AppError } from '../../platform/errors/app-error.js';
import { GuardedHttpClient } from '../../platform/http/outbound/guarded-client.js';
import { OutboundPolicy } from '../../platform/http/outbound/outbound-policy.js';
import type { ChatProvider } from './provider.js';
import { PROVIDER_REGISTRY } from './registry.js';

/** Brings a provider's code in at its first call and keeps it. All of them share the one guarded client. */
@Injectable()
export class ProviderLoader implements OnApplicationShutdown {
  private readonly client: GuardedHttpClient;
  private readonly loaded = new Map<Provider, ChatProvider>();

  constructor(policy: OutboundPolicy) {
    this.client = new GuardedHttpClient(policy);
  }

  /** Throws `provider_not_supported` for one whose wire format is not there yet. */
  chatProvider(provider: Provider): ChatProvider | Promise<ChatProvider> {
    return this.loaded.get(provider) ?? this.load(provider);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }

  private async load(provider: Provider): Promise<ChatProvider> {
    const { load, name, defaultApiBase } = PROVIDER_REGISTRY[provider];
    if (!load) {
      throw new AppError('provider_not_supported', {
        detail: `Models of ${name} cannot be called yet.`,
        headers: { 'x-should-retry': 'false' },
      });
    }
    const chatProvider = await load(this.client, defaultApiBase);
    this.loaded.set(provider, chatProvider);
    return chatProvider;
  }
}
