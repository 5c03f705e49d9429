import { refuseField } from '../../calls/incoming-call.js';
import { ChatConversation, type ChatMessage } from './chat-conversation.js';
import { refuseUnsupported, toChatPart, type ChatPart } from './content-parts.js';
import { given, isGiven } from '../given.js';
import { openDetails, type ReasoningDetail } from './reasoning-details.js';
import type { CallItem, CallOutputItem, CustomCallItem, InputItem, InputPart } from './responses-request.js';
import type { MessageItem, ReasoningItem, ResponsesRequest } from './responses-request.js';

/** `instructions` and `input` as messages of OpenAI's chat format. `ignored` takes what has no place there. */
export const toChatMessages = (
  { instructions, input }: Pick<ResponsesRequest, 'instructions' | 'input'>,
  ignored: Set<string>,
): ChatMessage[] => {
  const conversation = new ChatConversation();
  if (isGiven(instructions) && instructions !== '') conversation.say('system', [{ type: 'text', text: instructions }]);
  if (typeof input === 'string') conversation.say('user', [{ type: 'text', text: input }]);
  else input.forEach((item, index) => addItem(conversation, item, `input[${index}]`, ignored));
  const messages = conversation.end();
  if (messages.length === 0) throw refuseField('input', 'input must hold more than thoughts: at least one message.');
  return messages;
};

const addItem = (conversation: ChatConversation, item: InputItem, path: string, ignored: Set<string>): void => {
  switch (item.type) {
    case undefined:
    case 'message':
      return addMessage(conversation, item, path, ignored);
    case 'reasoning':
      return conversation.think(detailsOf(item));
    case 'function_call':
    case 'custom_tool_call':
      return conversation.call(toToolCall(item));
    case 'function_call_output':
    case 'custom_tool_call_output':
      return addOutput(conversation, item, path, ignored);
    default:
      throw unknownItem(item, path);
  }
};

const unknownItem = ({ type }: { type: string }, path: string): Error => {
  const field = `${path}.type`;
  if (type === 'item_reference') {
    const detail = `${field}: the hub keeps no responses, so there is nothing to refer to; send the item itself, as clients do with store: false.`;
    return refuseUnsupported(field, detail);
  }
  const known = 'messages, function_call, custom_tool_call, their outputs, and reasoning';
  return refuseUnsupported(field, `${field}: ${type} is not known here; there are ${known}.`);
};

const addMessage = (
  conversation: ChatConversation,
  { role, content }: MessageItem,
  path: string,
  ignored: Set<string>,
): void => {
  const parts = toChatParts(content, `${path}.content`, ignored);
  if (role !== 'assistant') {
    // Other servers than OpenAI's know no developer, and OpenAI takes the one for the other.
    return conversation.say(role === 'developer' ? 'system' : role, parts);
  }
  const media = parts.findIndex(({ type }) => type !== 'text');
  if (media !== -1) {
    const field = `${path}.content[${media}].type`;
    throw refuseField(field, `${field} must be output_text or refusal: the assistant's messages are text.`);
  }
  conversation.answer(parts);
};

const toChatParts = (content: string | readonly InputPart[], path: string, ignored: Set<string>): ChatPart[] =>
  typeof content === 'string'
    ? [{ type: 'text', text: content }]
    : content.map((part, index) => toChatPart(part, `${path}[${index}]`, ignored));

const detailsOf = ({ id, content, summary, encrypted_content: sealed }: ReasoningItem): readonly ReasoningDetail[] => {
  if (isGiven(sealed) && sealed !== '') return openDetails(sealed, id ?? null);
  const texts = content?.length ? content : (summary ?? []);
  return texts.map(({ text }) => ({ type: 'reasoning.text', text }));
};

const toToolCall = (item: CallItem | CustomCallItem): ChatMessage => ({
  id: item.call_id,
  ...(item.type === 'function_call'
    ? { type: 'function', function: { name: item.name, arguments: item.arguments } }
    : { type: 'custom', custom: { name: item.name, input: item.input } }),
  ...given({ extra_content: item.extra_content }),
});

const addOutput = (
  conversation: ChatConversation,
  { call_id: id, output }: CallOutputItem,
  path: string,
  ignored: Set<string>,
): void => {
  if (!conversation.hasCalled(id)) {
    const field = `${path}.call_id`;
    throw refuseField(field, `${field} belongs to no call before it; send the whole input, the calls included.`);
  }
  conversation.result(id, toChatParts(output, `${path}.output`, ignored));
};
