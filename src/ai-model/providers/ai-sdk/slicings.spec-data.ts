import { anEvent } from '../../../../test/support/aws-frames.js';

const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const delta = (index: number, fields: object): string => event('content_block_delta', { index, delta: fields });

/** Anthropic, Google, Cohere and Bedrock, each with a thought, a text and two calls of tools. */
export const CLAUDE_STREAM = [
  event('message_start', {
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-x',
      content: [],
      usage: { input_tokens: 9, output_tokens: 1 },
    },
  }),
  event('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }),
  delta(0, { type: 'thinking_delta', thinking: 'Hm… 🤔' }),
  delta(0, { type: 'signature_delta', signature: 'c2ln' }),
  event('content_block_stop', { index: 0 }),
  event('content_block_start', { index: 1, content_block: { type: 'text', text: '' } }),
  event('ping', {}),
  delta(1, { type: 'text_delta', text: 'Grüße, 漢字 ' }),
  delta(1, { type: 'text_delta', text: '🚀 "data: [DONE]"\\n' }),
  event('content_block_stop', { index: 1 }),
  event('content_block_start', {
    index: 2,
    content_block: { type: 'tool_use', id: 'call_1', name: 'weather', input: {} },
  }),
  delta(2, { type: 'input_json_delta', partial_json: '{"city":"Tr' }),
  delta(2, { type: 'input_json_delta', partial_json: 'omsø 🌧"}' }),
  event('content_block_stop', { index: 2 }),
  event('content_block_start', {
    index: 3,
    content_block: { type: 'tool_use', id: 'call_2', name: 'time', input: {} },
  }),
  event('content_block_stop', { index: 3 }),
  event('message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 14 } }),
  event('message_stop', {}),
].join('');

const candidate = (parts: object[], fields: object, count: number): string =>
  `data: ${JSON.stringify({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...fields }],
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: count, totalTokenCount: 9 + count },
    modelVersion: 'gemini-x',
  })}\r\n\r\n`;
export const GEMINI_STREAM = [
  candidate([{ text: 'Hm… 🤔', thought: true }], {}, 1),
  candidate([{ text: 'Grüße, 漢字 ' }], {}, 3),
  candidate([{ text: '🚀 "data: [DONE]"\\n' }], {}, 8),
  candidate(
    [
      { functionCall: { id: 'call_1', name: 'weather', args: { city: 'Tromsø 🌧' } } },
      { functionCall: { id: 'call_2', name: 'time', args: {} } },
    ],
    { finishReason: 'STOP' },
    14,
  ),
].join('');

const ofCohere = (type: string, index: number, message: object): string => event(type, { index, delta: { message } });
const ofTool = (name: string, fields: object): object => ({
  tool_calls: { id: name, type: 'function', function: fields },
});
export const COHERE_STREAM = [
  event('message-start', {
    id: 'c1',
    delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [] } },
  }),
  ofCohere('content-start', 0, { content: { type: 'thinking', thinking: '' } }),
  ofCohere('content-delta', 0, { content: { thinking: 'Hm… 🤔' } }),
  event('content-end', { index: 0 }),
  ofCohere('content-start', 1, { content: { type: 'text', text: '' } }),
  ofCohere('content-delta', 1, { content: { text: 'Grüße, 漢字 ' } }),
  ofCohere('content-delta', 1, { content: { text: '🚀 "data: [DONE]"\\n' } }),
  event('content-end', { index: 1 }),
  ofCohere('tool-call-start', 0, ofTool('call_1', { name: 'weather', arguments: '' })),
  ofCohere('tool-call-delta', 0, { tool_calls: { function: { arguments: '{"city":"Tr' } } }),
  ofCohere('tool-call-delta', 0, { tool_calls: { function: { arguments: 'omsø 🌧"}' } } }),
  event('tool-call-end', { index: 0 }),
  ofCohere('tool-call-start', 1, ofTool('call_2', { name: 'time', arguments: '{}' })),
  event('tool-call-end', { index: 1 }),
  event('message-end', {
    delta: { finish_reason: 'TOOL_CALL', usage: { tokens: { input_tokens: 9, output_tokens: 14 } } },
  }),
].join('');

const ofBlock = (contentBlockIndex: number, delta: object): Buffer =>
  anEvent('contentBlockDelta', { contentBlockIndex, delta });
const startOfTool = (contentBlockIndex: number, toolUseId: string, name: string): Buffer =>
  anEvent('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name } } });
const endOf = (contentBlockIndex: number): Buffer => anEvent('contentBlockStop', { contentBlockIndex });
export const BEDROCK_STREAM = Buffer.concat([
  anEvent('messageStart', { role: 'assistant' }),
  ofBlock(0, { reasoningContent: { text: 'Hm… 🤔' } }),
  endOf(0),
  ofBlock(1, { text: 'Grüße, 漢字 ' }),
  ofBlock(1, { text: '🚀 "data: [DONE]"\\n' }),
  endOf(1),
  startOfTool(2, 'call_1', 'weather'),
  ofBlock(2, { toolUse: { input: '{"city":"Tr' } }),
  ofBlock(2, { toolUse: { input: 'omsø 🌧"}' } }),
  endOf(2),
  startOfTool(3, 'call_2', 'time'),
  ofBlock(3, { toolUse: { input: '{}' } }),
  endOf(3),
  anEvent('messageStop', { stopReason: 'tool_use' }),
  anEvent('metadata', { usage: { inputTokens: 9, outputTokens: 14, totalTokens: 23 }, metrics: { latencyMs: 1 } }),
]);
