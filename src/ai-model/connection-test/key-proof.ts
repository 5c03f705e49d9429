import { Injectable } from '@nestjs/common';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { ProviderError } from '../providers/provider-error.js';
import { ProviderLoader } from '../providers/provider-loader.js';

const MAX_MILLISECONDS = 5000;

export const hasCredential = (model: SnapshotModel): boolean => model.api_key !== null || model.auth_headers !== null;

/** Finds out whether a key is known to a provider that refused a call with it; costs nothing. */
@Injectable()
export class KeyProof {
  constructor(private readonly providers: ProviderLoader) {}

  /**
   * Models are listed with the key, and refused without it: some providers show their list to anybody. Never fails: false
   * where it cannot be told.
   */
  async isKeyKnown(model: SnapshotModel, signal: AbortSignal): Promise<boolean> {
    if (!hasCredential(model)) return false;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(MAX_MILLISECONDS)]);
    const isListed = (await this.listingOf(model, limit)) === 'listed';
    return isListed && (await this.listingOf({ ...model, api_key: null, auth_headers: null }, limit)) === 'refused';
  }

  private async listingOf(model: SnapshotModel, signal: AbortSignal): Promise<'listed' | 'refused' | 'unknown'> {
    try {
      const provider = await this.providers.chatProvider(model.provider);
      if (!provider.listModels) return 'unknown';
      await provider.listModels(model, signal);
      return 'listed';
    } catch (error) {
      return error instanceof ProviderError && error.errorClass === 'auth' ? 'refused' : 'unknown';
    }
  }
}
