import { randomUUID } from 'node:crypto';
import { isPlainObject } from '../../../contract/fields.js';
import { weighText } from '../../../platform/text/text-weight.js';
import type { ChatChunk } from '../../calls/dialect.js';
import { estimateUsage, findUsage, usageFromAnswer, type TokenUsage } from '../../calls/wire/usage.js';
import { ProviderError } from '../../providers/provider-error.js';
import { piecesOf, type CallPiece, type Piece, type ThoughtPiece } from './answer-pieces.js';
import { cacheWritesIn, toDeltaUsage, toUsage } from './answer-usage.js';
import { ContentQueue, type OpenContent } from './content-queue.js';
import type { Say } from './message-events.js';
import { OpenCall, OpenRedacted, OpenText, OpenThought } from './open-contents.js';
import { toStop, type Ending } from './stop-reason.js';

/** What of a request its answer depends on. */
export interface Asked {
  /** The caller's name of the model. */
  model: string;
  stops: readonly string[];
  /** `shown` as it comes, `signed` alone since it has to come back, or `hidden`. */
  thoughts: 'shown' | 'signed' | 'hidden';
  /** OpenAI's; for an answer whose provider does not tell its usage. */
  messages: unknown;
}

/** Says an answer that comes in chunks of OpenAI's chat stream as Anthropic's events. */
export class MessageWriter {
  private readonly queue: ContentQueue;
  /** By the provider's index; of those with the same one, the last. */
  private readonly calls = new Map<number, OpenCall>();
  private ending: Ending = { finishReason: null, stopText: null };
  private usage: TokenUsage | null = null;
  private cacheWrites = 0;
  /** Of the output, for an estimate. */
  private weight = 0;
  private hasStarted = false;

  constructor(
    private readonly asked: Asked,
    private readonly say: Say,
  ) {
    this.queue = new ContentQueue(say);
  }

  take(chunk: ChatChunk): void {
    this.takeUsage(findUsage(chunk));
    this.start();
    const { choices } = chunk;
    const choice: unknown = Array.isArray(choices) ? choices[0] : null;
    if (!isPlainObject(choice)) return;
    const delta = choice['delta'];
    if (isPlainObject(delta)) for (const piece of piecesOf(delta)) this.takePiece(piece);
    const { finish_reason: finishReason, stop_reason: stopText } = choice;
    if (typeof finishReason === 'string') this.ending = { finishReason, stopText };
  }

  finish(): void {
    this.start();
    this.queue.finish(this.ending.finishReason === 'length');
    const stop = toStop(this.ending, { hasCalls: this.calls.size > 0, stops: this.asked.stops });
    const usage = this.usage ?? estimateUsage(this.asked.messages, this.weight);
    this.say({
      type: 'message_delta',
      delta: { ...stop, container: null },
      usage: toDeltaUsage(usage, this.cacheWrites),
    });
    this.say({ type: 'message_stop' });
  }

  private start(): void {
    if (this.hasStarted) return;
    this.hasStarted = true;
    const message = {
      id: `msg_${randomUUID().replaceAll('-', '')}`,
      type: 'message' as const,
      role: 'assistant' as const,
      model: this.asked.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      container: null,
      diagnostics: null,
      usage: toUsage(toDeltaUsage(this.usage, this.cacheWrites)),
    };
    this.say({ type: 'message_start', message });
  }

  /** Reports are cumulative, so they replace each other. */
  private takeUsage(usage: unknown): void {
    const known = usageFromAnswer(usage);
    if (known === null) return;
    this.usage = known;
    this.cacheWrites = cacheWritesIn(usage);
  }

  private takePiece(piece: Piece): void {
    if (piece.kind === 'call') return this.takeCall(piece);
    if (piece.kind === 'text') return this.takeText(piece.text);
    if (this.asked.thoughts === 'hidden') return;
    if (piece.kind === 'redacted') this.begin(new OpenRedacted(piece.data));
    else this.takeThought(piece);
  }

  private takeText(text: string): void {
    this.weight += weighText(text);
    const { last } = this.queue;
    const content = last instanceof OpenText ? last : this.begin(new OpenText());
    this.queue.add(content, { type: 'text_delta', text });
  }

  private takeThought(piece: ThoughtPiece): void {
    const { text, signature } = piece;
    const { last } = this.queue;
    const open = last instanceof OpenThought ? last : null;
    if (open?.isRepeatedBy(piece)) return open.sign(signature);
    const thought = open?.goesOnWith(piece)
      ? open
      : this.begin(new OpenThought(piece, this.asked.thoughts === 'signed'));
    thought.sign(signature);
    if (text === '') return;
    this.weight += weighText(text);
    thought.think(text);
    this.queue.add(thought, { type: 'thinking_delta', thinking: text });
  }

  private begin<Content extends OpenContent>(content: Content): Content {
    this.queue.begin(content);
    return content;
  }

  private takeCall(piece: CallPiece): void {
    const { index, name, json } = piece;
    this.weight += weighText(name) + weighText(json);
    const known = this.calls.get(index);
    const isNew = known === undefined || known.isAnotherThan(piece);
    const call = isNew ? new OpenCall() : known;
    if (!isNew && !this.queue.has(call)) return refuseMore(json);
    call.take(piece);
    if (isNew) {
      this.calls.set(index, call);
      this.queue.begin(call);
    }
    if (json === '') this.queue.advance();
    else this.queue.add(call, { type: 'input_json_delta', partial_json: json });
  }
}

/** Blanks do no harm behind the end. */
const refuseMore = (json: string): void => {
  if (json.trim() === '') return;
  throw new ProviderError('bad_answer', { message: 'the answer goes on with a tool call that was over' });
};
