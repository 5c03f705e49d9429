import type { ServerResponse } from 'node:http';
import { sendJson, type Script } from './fake-provider.js';

type Json = Record<string, unknown>;

/** A whole answer of Anthropic's Messages. */
export const aMessage = (content: Json[] = [{ type: 'text', text: 'Hello' }], fields: Json = {}): Json => ({
  id: 'msg_01',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content,
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 11, output_tokens: 7 },
  ...fields,
});

/** One event as Anthropic writes it. */
export const anthropicEvent = (type: string, fields: Json = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;

export const PING = anthropicEvent('ping');

export const messageStart = (usage: Json = { input_tokens: 11, output_tokens: 1 }): string =>
  anthropicEvent('message_start', {
    message: { ...aMessage([], { stop_reason: null, usage }) },
  });

/** A block from its start to its stop. */
export const block = (index: number, start: Json, ...deltas: Json[]): string =>
  anthropicEvent('content_block_start', { index, content_block: start }) +
  deltas.map((delta) => anthropicEvent('content_block_delta', { index, delta })).join('') +
  anthropicEvent('content_block_stop', { index });

export const textBlock = (index: number, ...texts: string[]): string =>
  block(index, { type: 'text', text: '' }, ...texts.map((text) => ({ type: 'text_delta', text })));

export const toolBlock = (index: number, id: string, name: string, ...pieces: string[]): string =>
  block(
    index,
    { type: 'tool_use', id, name, input: {} },
    ...pieces.map((json) => ({ type: 'input_json_delta', partial_json: json })),
  );

export const messageDelta = (stopReason: string | null, outputTokens = 7): string =>
  anthropicEvent('message_delta', {
    delta: { stop_reason: stopReason, stop_sequence: null },
    usage: { output_tokens: outputTokens },
  });

export const MESSAGE_STOP = anthropicEvent('message_stop');

/** A short answer as a stream. */
export const streamedHello = (): string =>
  messageStart() + textBlock(0, 'Hel', 'lo') + messageDelta('end_turn') + MESSAGE_STOP;

export const sendEvents = (response: ServerResponse, ...pieces: (string | Buffer)[]): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const piece of pieces) response.write(piece);
  response.end();
};

export const anthropicError = (type: string, message: string): Json => ({
  type: 'error',
  error: { type, message },
  request_id: 'req_1',
});

/** Answers whole or streamed, as asked. */
export const politeAnthropic: Script = ({ body }, response) =>
  body['stream'] === true ? sendEvents(response, streamedHello()) : sendJson(response, 200, aMessage());
