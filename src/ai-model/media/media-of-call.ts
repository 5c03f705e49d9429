import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { MAX_DEPTH } from '../../platform/http/json-cost.js';
import { isCallable } from '../calls/callable.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import { editObject, scanTopLevel } from '../calls/wire/json-object-editor.js';
import type { ModelDirectory } from '../model-directory/model-directory.js';
import type { Attachment, Part } from './attachment.js';
import { HEAD_BYTES } from './base64.js';
import { inParallel } from './in-parallel.js';
import { MEGABYTE, type MediaProblem, problemOf } from './media-check.js';
import type { FetchedMedia, FetchingCall, MediaFetcher } from './media-fetcher.js';
import { typeOf } from './media-types.js';
import type { PassedOnCheck } from './passed-on-check.js';
import { identify, typeByHead } from './sniff.js';
import { WIRE_MEDIA } from './wire-media.js';
import { isPassedOn, mustBeFetched, writePart } from './write-parts.js';

const DEFAULT_LIMIT_BYTES = 20 * MEGABYTE;
/** Of everything that is fetched for one call: it is in memory several times before it is sent. */
const MOST_FETCHED_BYTES = 64 * MEGABYTE;
const FETCHED_AT_ONCE = 4;
const MOST_NAMED = 10;

export interface MediaTools {
  directory: Pick<ModelDirectory, 'models'>;
  fetcher: MediaFetcher;
  passedOn: PassedOnCheck;
}

/** The attachments of one call: checks them against models, and makes of them what a model's provider takes. */
export class MediaOfCall {
  private identified: Promise<void> | null = null;
  private readonly fetched = new Map<string, Promise<FetchedMedia>>();
  private fetchedBytes = 0;

  constructor(
    private readonly attachments: readonly Attachment[],
    private readonly incoming: Pick<IncomingCall, 'stream'>,
    private readonly tools: MediaTools,
  ) {}

  /** Looks at the bytes that came with the call; before that only what the caller says is known. */
  ready(): Promise<void> {
    this.identified ??= this.identifyAll();
    return this.identified;
  }

  /** Whether this model takes all of it, as far as it is known by now. */
  isTakenBy(model: SnapshotModel): boolean {
    return problemOf(this.attachments, model) === null;
  }

  /** Throws `modality_not_supported` or `file_too_large`, naming the field and the models that could. */
  requireTakenBy(model: SnapshotModel): void {
    const problem = problemOf(this.attachments, model);
    if (problem) throw this.refuse(`${model.alias} ${problem.problem}`, problem);
  }

  /** Throws the same when no model is left to choose from. */
  refuseForAll(): AppError {
    const [{ field } = { field: 'messages' }] = this.attachments;
    const detail = 'No model that can be called takes all attachments of the request.';
    return new AppError('modality_not_supported', { detail, param: field });
  }

  /**
   * The call as this model's provider takes it: what must be fetched is fetched, once for all models; what the provider
   * takes as it is stays as the caller wrote it. `incoming` may have more messages than the attachments were found in.
   */
  async fit(incoming: IncomingCall, model: SnapshotModel, call: FetchingCall): Promise<IncomingCall> {
    await this.ready();
    this.requireTakenBy(model);
    const wire = WIRE_MEDIA[model.provider];
    const missing = this.attachments.filter((attachment) => mustBeFetched(attachment, wire));
    if (missing.length > 0) {
      await inParallel(missing, FETCHED_AT_ONCE, (attachment) => this.complete(attachment, model, call));
      this.requireTakenBy(model);
    }
    await this.tools.passedOn.check(
      this.attachments.filter((attachment) => isPassedOn(attachment, wire)),
      model,
    );
    const parts = new Map(this.attachments.map((attachment) => [attachment.part, writePart(attachment, wire)]));
    return withParts(incoming, parts);
  }

  private async identifyAll(): Promise<void> {
    for (const attachment of this.attachments) await identify(attachment);
  }

  private async complete(attachment: Attachment, model: SnapshotModel, call: FetchingCall): Promise<void> {
    const { bytes, contentType } = await this.fetch(attachment, model, call);
    const type = await typeByHead(typeOf(contentType) ?? attachment.declared, bytes.subarray(0, HEAD_BYTES));
    if (type === null) {
      const detail = `What ${attachment.field} points to is of no known type: neither its bytes nor its server say.`;
      throw new AppError('media_not_available', { detail, param: attachment.field });
    }
    attachment.type = type;
    attachment.size = bytes.length;
    attachment.base64 = bytes.toString('base64');
  }

  /** The same address is fetched once, however often it is named and whoever is asked. */
  private fetch(attachment: Attachment, model: SnapshotModel, call: FetchingCall): Promise<FetchedMedia> {
    const url = attachment.url as URL;
    const known = this.fetched.get(url.href);
    if (known) return known;
    const fetching = this.load(attachment, url, model, call);
    this.fetched.set(url.href, fetching);
    return fetching;
  }

  private async load(
    attachment: Attachment,
    url: URL,
    model: SnapshotModel,
    call: FetchingCall,
  ): Promise<FetchedMedia> {
    const own = model.max_file_size_mb === null ? DEFAULT_LIMIT_BYTES : model.max_file_size_mb * MEGABYTE;
    const limitBytes = Math.min(own, MOST_FETCHED_BYTES - this.fetchedBytes);
    const media = await this.tools.fetcher.fetch({ url, field: attachment.field, limitBytes }, call);
    this.fetchedBytes += media.bytes.length;
    if (this.fetchedBytes <= MOST_FETCHED_BYTES) return media;
    const detail = `What is fetched for one request is limited to ${MOST_FETCHED_BYTES / MEGABYTE} MB.`;
    throw new AppError('file_too_large', { detail, param: attachment.field });
  }

  private refuse(what: string, { code, field }: MediaProblem): AppError {
    const able = this.tools.directory
      .models()
      .filter((model) => this.couldBeAsked(model))
      .slice(0, MOST_NAMED);
    const advice =
      able.length === 0
        ? 'No model that can be called takes all of the request.'
        : `Models that take all of it: ${able.map(({ alias }) => alias).join(', ')}.`;
    return new AppError(code, { detail: `${field}: ${what}. ${advice}`, param: field });
  }

  private couldBeAsked(model: SnapshotModel): boolean {
    return isCallable(model) && (model.is_streaming_supported || !this.incoming.stream) && this.isTakenBy(model);
  }
}

/** Only messages with a changed part are made anew, and only `messages` gets new bytes. */
const withParts = (incoming: IncomingCall, parts: ReadonlyMap<unknown, Part>): IncomingCall => {
  if ([...parts].every(([before, after]) => before === after)) return incoming;
  const messages = (incoming.parameters['messages'] as readonly { content?: unknown }[]).map((message) => {
    if (!Array.isArray(message.content)) return message;
    return { ...message, content: message.content.map((part: unknown) => parts.get(part) ?? part) };
  });
  const changes = new Map([['messages', Buffer.from(JSON.stringify(messages))]]);
  const body = editObject(incoming.body, changes, incoming.topLevel);
  const topLevel = scanTopLevel(body, { depth: MAX_DEPTH });
  return { ...incoming, body, topLevel, parameters: { ...incoming.parameters, messages } };
};
