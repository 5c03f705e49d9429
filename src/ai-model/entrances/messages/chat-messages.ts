import { refuseField } from '../../calls/incoming-call.js';
import { isGiven } from '../given.js';
import { contentOf, extensionsOf, refuseUnsupported, toChatParts, type ChatPart } from './content-blocks.js';
import type {
  ContentBlock,
  MessageParam,
  MessagesRequest,
  RedactedThinkingBlock,
  ThinkingBlock,
  ToolResultBlock,
  ToolUseBlock,
} from './messages-request.js';

/** A message of OpenAI's chat format. */
export type ChatMessage = Readonly<Record<string, unknown>>;

type Messages = Pick<MessagesRequest, 'system' | 'messages' | 'cache_control'>;

const FAILED = 'Error: ';

/** `system` and `messages` as messages of OpenAI's chat format. `ignored` takes what has no place there. */
export const toChatMessages = (request: Messages, ignored: Set<string>): ChatMessage[] => {
  const { system, messages, cache_control: cache } = request;
  const conversation = new Conversation(ignored);
  const before = isGiven(system) ? conversation.system(system, 'system') : [];
  const said = messages.flatMap((message, index) => conversation.message(message, `messages[${index}]`));
  return [...before, ...(isGiven(cache) ? withCacheAtEnd(said, cache) : said)];
};

/** Anthropic puts it behind the last block of the request; a message's own is behind its last part. */
const withCacheAtEnd = (messages: readonly ChatMessage[], cache: unknown): ChatMessage[] =>
  messages.map((message, index) => (index === messages.length - 1 ? { ...message, cache_control: cache } : message));

const blocksOf = (content: string | readonly ContentBlock[]): readonly ContentBlock[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

/** Knows which tools were called so far. */
class Conversation {
  private readonly callIds = new Set<string>();

  constructor(private readonly ignored: Set<string>) {}

  message({ role, content }: MessageParam, path: string): ChatMessage[] {
    const field = `${path}.content`;
    if (role === 'system') return this.system(content, field);
    const blocks = blocksOf(content);
    return role === 'assistant' ? [this.assistant(blocks, field)] : this.user(blocks, field);
  }

  system(content: string | readonly ContentBlock[], path: string): ChatMessage[] {
    const blocks = blocksOf(content);
    const media = blocks.findIndex(({ type }) => type !== 'text');
    if (media !== -1) throw refuseField(`${path}[${media}].type`, `${path}[${media}].type must be text.`);
    const parts = this.parts(blocks, path).filter(({ text }) => text !== '');
    return parts.length === 0 ? [] : [{ role: 'system', content: contentOf(parts) }];
  }

  /** The results of tools come first, since nothing may stand between them and their calls. */
  private user(blocks: readonly ContentBlock[], path: string): ChatMessage[] {
    const results: ChatMessage[] = [];
    const attachments: ChatPart[] = [];
    const parts: ChatPart[] = [];
    blocks.forEach((block, index) => {
      const place = `${path}[${index}]`;
      if (block.type === 'tool_result') {
        const { message, media } = this.result(block, place);
        results.push(message);
        attachments.push(...media);
      } else parts.push(...toChatParts(block, place, this.ignored));
    });
    const said = [...attachments, ...parts];
    return said.length === 0 && results.length > 0 ? results : [...results, { role: 'user', content: contentOf(said) }];
  }

  /** A chat's tool messages hold text alone: pictures and files follow in a message of the user's. */
  private result(block: ToolResultBlock, path: string): { message: ChatMessage; media: ChatPart[] } {
    const { tool_use_id: id, content, is_error: isError } = block;
    if (!this.callIds.has(id)) {
      const field = `${path}.tool_use_id`;
      throw refuseField(field, `${field} belongs to no tool_use block before it.`);
    }
    const parts = this.parts(blocksOf(content ?? ''), `${path}.content`);
    const texts = parts.filter(({ type }) => type === 'text');
    const media = parts.filter(({ type }) => type !== 'text');
    const above = media.length > 0 ? [{ type: 'text', text: `Result of the tool call ${id}:` }] : [];
    if (media.length > 0 && texts.length === 0) texts.push({ type: 'text', text: 'The result is attached below.' });
    const told = isError === true ? markFailed(texts) : texts;
    const message = { role: 'tool', tool_call_id: id, content: contentOf(told), ...extensionsOf({ ...block }) };
    return { message, media: [...above, ...media] };
  }

  private assistant(blocks: readonly ContentBlock[], path: string): ChatMessage {
    const parts: ChatPart[] = [];
    const calls: ChatMessage[] = [];
    const details: ChatMessage[] = [];
    blocks.forEach((block, index) => {
      if (block.type === 'tool_use') calls.push(this.call(block));
      else if (block.type === 'thinking' || block.type === 'redacted_thinking') details.push(toReasoningDetail(block));
      else if (block.type === 'text') parts.push(...toChatParts(block, `${path}[${index}]`, this.ignored));
      else throw refuseOfAssistant(block, `${path}[${index}].type`);
    });
    return {
      role: 'assistant',
      content: parts.length === 0 && calls.length > 0 ? null : contentOf(parts),
      ...(calls.length > 0 && { tool_calls: calls }),
      ...(details.length > 0 && { reasoning_details: details }),
    };
  }

  private call(block: ToolUseBlock): ChatMessage {
    const { id, name, input } = block;
    this.callIds.add(id);
    return {
      id,
      type: 'function',
      function: { name, arguments: JSON.stringify(input ?? {}) },
      ...extensionsOf({ ...block }),
    };
  }

  private parts(blocks: readonly ContentBlock[], path: string): ChatPart[] {
    return blocks.flatMap((block, index) => toChatParts(block, `${path}[${index}]`, this.ignored));
  }
}

const refuseOfAssistant = ({ type }: ContentBlock, field: string): Error =>
  refuseUnsupported(field, `an assistant's message has text, tool_use, thinking and redacted_thinking, not ${type}`);

/** OpenAI's format has no other place for it. */
const markFailed = ([first, ...others]: readonly ChatPart[]): ChatPart[] => {
  const text = typeof first?.['text'] === 'string' ? first['text'] : '';
  return [{ ...first, type: 'text', text: `${FAILED}${text}` }, ...others];
};

/** As OpenRouter names them, and the hub's own wire of Anthropic reads them. */
const toReasoningDetail = (block: ThinkingBlock | RedactedThinkingBlock): ChatMessage =>
  block.type === 'redacted_thinking'
    ? { type: 'reasoning.encrypted', data: block.data }
    : { type: 'reasoning.text', text: block.thinking, ...(block.signature && { signature: block.signature }) };
