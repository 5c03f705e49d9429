import { lookup } from 'node:dns/promises';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { canParseUrl } from '../../platform/http/can-parse-url.js';
import type { ResolveHost } from '../../platform/http/outbound/guarded-connector.js';
import type { Attachment } from './attachment.js';
import type { MediaPolicy } from './media-policy.js';

const LOOKUP_MILLISECONDS = 2000;

const lookUp: ResolveHost = (hostname) => lookup(hostname, { all: true });

/**
 * An address that is passed on to a server of this network is fetched from inside it: there a public name must not stand
 * for a private address. A provider elsewhere sees only what is public anyway.
 */
export class PassedOnCheck {
  constructor(
    private readonly policy: MediaPolicy,
    private readonly resolve: ResolveHost = lookUp,
  ) {}

  /** Throws `media_not_allowed`. */
  async check(attachments: readonly Attachment[], { api_base: server }: SnapshotModel): Promise<void> {
    if (attachments.length === 0 || server === null || !canParseUrl(server)) return;
    if (!this.policy.isListed(new URL(server).origin)) return;
    await Promise.all(attachments.map((attachment) => this.checkOne(attachment)));
  }

  private async checkOne({ url, field }: Attachment): Promise<void> {
    if (url === null) return;
    for (const address of await this.addressesOf(url)) {
      const refused = this.policy.checkAddress(url.origin, address);
      if (refused) throw new AppError('media_not_allowed', { detail: `${field}: ${refused.message}`, param: field });
    }
  }

  /** None when the name is unknown here: then there is nothing of this network behind it. */
  private async addressesOf({ hostname }: URL): Promise<string[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), LOOKUP_MILLISECONDS);
    });
    try {
      const found = await Promise.race([this.resolve(hostname.replace(/^\[|\]$/g, '')), late]);
      return found.map(({ address }) => address);
    } catch {
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}
