import { Readable } from 'node:stream';
import type { LanguageModelV3StreamPart } from '@ai-sdk/provider';
import { ProviderError } from '../provider-error.js';
import { answerHead, isDraft, signatureOf, thoughtDetail, toFinishReason, toImage, toUsage } from './openai-answer.js';

type Json = Record<string, unknown>;
type Part<Type extends LanguageModelV3StreamPart['type']> = Extract<LanguageModelV3StreamPart, { type: Type }>;

interface OpenCall {
  index: number;
  hasArguments: boolean;
}

interface OpenThought {
  text: string;
  metadata: Part<'reasoning-start'>['providerMetadata'];
}

const raise = (error: unknown): never => {
  throw error;
};

const event = (body: Json): string => `data: ${JSON.stringify(body)}\n\n`;

/** The library's parts as OpenAI's chunks, as server-sent events; the usage always has one of its own before the end. */
export class ChunkWriter {
  private head: Json;
  private hasBegun = false;
  private readonly calls = new Map<string, OpenCall>();
  private readonly thoughts = new Map<string, OpenThought>();
  /** The provider said that the answer is complete. */
  isComplete = false;

  constructor(private readonly modelName: string) {
    this.head = { ...answerHead(undefined, undefined, modelName), object: 'chat.completion.chunk' };
  }

  /** '': nothing is to be said of this part. */
  write(part: LanguageModelV3StreamPart): string {
    switch (part.type) {
      case 'response-metadata':
        this.head = { ...this.head, ...(part.id && { id: part.id }), ...(part.modelId && { model: part.modelId }) };
        return '';
      case 'text-delta':
        return part.delta === '' ? '' : this.delta({ content: part.delta });
      case 'reasoning-start':
      case 'reasoning-delta':
        return this.thought(part);
      case 'reasoning-end':
        return this.endThought(part);
      case 'tool-input-start':
        return part.providerExecuted ? '' : this.beginCall(part.id, part.toolName, part.providerMetadata);
      case 'tool-input-delta':
        return this.callArguments(part.id, part.delta);
      case 'tool-call':
        return part.providerExecuted ? '' : this.endCall(part);
      case 'file':
        return isDraft(part) ? '' : this.delta({ images: [toImage(part)] });
      case 'finish':
        return this.finish(part);
      case 'error':
        return raise(part.error);
      case 'stream-start':
      case 'text-start':
      case 'text-end':
      case 'tool-input-end':
      case 'tool-result':
      case 'tool-approval-request':
      case 'source':
      case 'raw':
        break;
    }
    return '';
  }

  private delta(delta: Json): string {
    const first = this.hasBegun ? {} : { role: 'assistant', ...('content' in delta ? {} : { content: '' }) };
    this.hasBegun = true;
    return event({
      ...this.head,
      choices: [{ index: 0, delta: { ...first, ...delta }, finish_reason: null, logprobs: null }],
    });
  }

  private thought(part: Part<'reasoning-start'> | Part<'reasoning-delta'>): string {
    const open = this.thoughts.get(part.id) ?? { text: '', metadata: undefined };
    this.thoughts.set(part.id, open);
    open.metadata = part.providerMetadata ?? open.metadata;
    if (part.type === 'reasoning-start' || part.delta === '') return '';
    open.text += part.delta;
    return this.delta({ reasoning_content: part.delta });
  }

  /** The whole of a thought that must come back, once it is signed. */
  private endThought({ id, providerMetadata }: Part<'reasoning-end'>): string {
    const open = this.thoughts.get(id);
    this.thoughts.delete(id);
    const detail = open && thoughtDetail(open.text, providerMetadata ?? open.metadata);
    return detail ? this.delta({ reasoning_details: [detail] }) : '';
  }

  private beginCall(id: string, name: string, metadata: Part<'tool-input-start'>['providerMetadata']): string {
    const index = this.calls.size;
    this.calls.set(id, { index, hasArguments: false });
    const call = { index, id, type: 'function', function: { name, arguments: '' }, ...signatureOf(metadata) };
    return this.delta({ tool_calls: [call] });
  }

  private callArguments(id: string, text: string): string {
    const call = this.calls.get(id);
    if (!call || text === '') return '';
    call.hasArguments = true;
    return this.delta({ tool_calls: [{ index: call.index, function: { arguments: text } }] });
  }

  /** Comes behind the pieces of a call, or alone. */
  private endCall({ toolCallId, toolName, input, providerMetadata }: Part<'tool-call'>): string {
    const begun = this.calls.has(toolCallId) ? '' : this.beginCall(toolCallId, toolName, providerMetadata);
    return this.calls.get(toolCallId)?.hasArguments ? begun : begun + this.callArguments(toolCallId, input);
  }

  private finish({ finishReason, usage }: Part<'finish'>): string {
    const reason = toFinishReason(finishReason, this.calls.size > 0);
    const begun = this.hasBegun ? '' : this.delta({ content: '' });
    const last = event({ ...this.head, choices: [{ index: 0, delta: {}, finish_reason: reason, logprobs: null }] });
    const told = toUsage(usage);
    this.isComplete = true;
    return `${begun}${last}${told ? event({ ...this.head, choices: [], usage: told }) : ''}data: [DONE]\n\n`;
  }
}

/** Reads on only as fast as it is read, and ends the provider's stream when it is given up. */
export class ChunkStream extends Readable {
  private isPulling = false;

  /**
   * @param cancel ends what the library reads from
   * @param explain what a failure of the library means
   */
  constructor(
    private readonly parts: ReadableStreamDefaultReader<LanguageModelV3StreamPart>,
    private readonly writer: ChunkWriter,
    private readonly cancel: () => void,
    private readonly explain: (error: unknown) => Error,
  ) {
    super();
  }

  override _read(): void {
    if (!this.isPulling) void this.pull();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.giveUp();
    callback(error);
  }

  private giveUp(): void {
    this.cancel();
    this.parts.cancel().catch(() => undefined);
  }

  private async pull(): Promise<void> {
    this.isPulling = true;
    try {
      for (let wantsMore = true; wantsMore && !this.destroyed;) {
        const { done, value } = await this.parts.read();
        if (done) return this.end();
        const text = this.writer.write(value);
        if (text !== '') wantsMore = this.push(text);
      }
    } catch (error) {
      this.destroy(this.explain(error));
    } finally {
      this.isPulling = false;
    }
  }

  private end(): void {
    if (!this.writer.isComplete)
      throw new ProviderError('bad_answer', { message: 'the stream ended before the answer was complete' });
    this.push(null);
  }
}
