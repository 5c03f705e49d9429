import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Env } from '../../platform/config/env.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { MediaFetcher } from './media-fetcher.js';
import { MediaOfCall } from './media-of-call.js';
import { MediaPolicy } from './media-policy.js';
import { PassedOnCheck } from './passed-on-check.js';
import { hasParts, readAttachments } from './read-attachments.js';

/** Knows what the messages of a call hold besides text. */
@Injectable()
export class CallMedia implements OnApplicationShutdown {
  private readonly policy: MediaPolicy;
  private readonly fetcher: MediaFetcher;
  private readonly passedOn: PassedOnCheck;
  /** What was found out about a call, or fetched for it, holds for all models it is asked of. */
  private readonly known = new WeakMap<IncomingCall, MediaOfCall>();

  constructor(
    private readonly directory: ModelDirectory,
    env: Env,
    address: ListenAddress,
  ) {
    this.policy = new MediaPolicy(env.ALLOWED_PRIVATE_ORIGINS, () => address.url);
    this.fetcher = new MediaFetcher(this.policy);
    this.passedOn = new PassedOnCheck(this.policy);
  }

  /**
   * The attachments of a call; null when there are none, at no cost when all contents are texts. Throws
   * `validation_failed` for a malformed part and `media_not_allowed` for a forbidden address, naming the field.
   */
  of(incoming: IncomingCall): MediaOfCall | null {
    const { messages } = incoming.parameters;
    if (incoming.operation !== 'chat' || !hasParts(messages)) return null;
    const known = this.known.get(incoming);
    if (known) return known;
    const attachments = readAttachments(messages, this.policy);
    if (attachments.length === 0) return null;
    const { directory, fetcher, passedOn } = this;
    const media = new MediaOfCall(attachments, incoming, { directory, fetcher, passedOn });
    this.known.set(incoming, media);
    return media;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.fetcher.close();
  }
}
