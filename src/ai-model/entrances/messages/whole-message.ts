import { isPlainObject } from '../../../contract/fields.js';
import { ProviderError } from '../../providers/provider-error.js';
import { wholeAsChunk } from '../written-stream.js';
import type { Content, Delta, Message, MessageEvent } from './message-events.js';
import { MessageWriter, type Asked } from './message-writer.js';
import { badCall } from './open-contents.js';

/** OpenAI's whole answer as Anthropic's message. */
export const toMessage = (parsed: Readonly<Record<string, unknown>>, asked: Asked): Message => {
  const collected = new CollectedMessage();
  const writer = new MessageWriter(asked, (event) => collected.take(event));
  writer.take(wholeAsChunk(parsed));
  writer.finish();
  return collected.message();
};

/** Puts the events of a stream together. */
class CollectedMessage {
  private collected: Message | null = null;
  private readonly inputs = new Map<Content, string>();

  take(event: MessageEvent): void {
    if (event.type === 'message_start') this.collected = event.message;
    else if (event.type === 'content_block_start') this.collected?.content.push(event.content_block);
    else if (event.type === 'content_block_delta') this.grow(this.collected?.content.at(event.index), event.delta);
    else if (event.type === 'message_delta' && this.collected) {
      const { stop_reason, stop_sequence, stop_details } = event.delta;
      const usage = { ...this.collected.usage, ...event.usage };
      this.collected = { ...this.collected, stop_reason, stop_sequence, stop_details, usage };
    }
  }

  message(): Message {
    if (this.collected === null) throw new ProviderError('bad_answer', { message: 'the answer is empty' });
    const isCut = this.collected.stop_reason === 'max_tokens';
    for (const [content, json] of this.inputs) {
      if (content.type === 'tool_use') content.input = readInput(content.name, json, isCut);
    }
    return this.collected;
  }

  private grow(content: Content | undefined, delta: Delta): void {
    if (content?.type === 'text' && delta.type === 'text_delta') content.text += delta.text;
    else if (content?.type === 'thinking' && delta.type === 'thinking_delta') content.thinking += delta.thinking;
    else if (content?.type === 'thinking' && delta.type === 'signature_delta') content.signature = delta.signature;
    else if (content && delta.type === 'input_json_delta') {
      this.inputs.set(content, (this.inputs.get(content) ?? '') + delta.partial_json);
    }
  }
}

/** Of a call that the limit has cut there is no input: it must not be made. */
const readInput = (name: string, json: string, isCut: boolean): unknown => {
  try {
    const input: unknown = JSON.parse(json);
    if (isPlainObject(input)) return input;
  } catch {
    // Told below.
  }
  if (isCut) return {};
  throw badCall(name);
};
