import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Provider } from '../../contract/providers.js';
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

  chatProvider(provider: Provider): ChatProvider | Promise<ChatProvider> {
    return this.loaded.get(provider) ?? this.load(provider);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }

  private async load(provider: Provider): Promise<ChatProvider> {
    const { load, defaultApiBase } = PROVIDER_REGISTRY[provider];
    const chatProvider = await load(this.client, defaultApiBase);
    this.loaded.set(provider, chatProvider);
    return chatProvider;
  }
}
