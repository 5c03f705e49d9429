// The answers of the benchmark's provider in Anthropic's wire format.

/** The whole answer, and the events of a stream, of these words. */
export const anthropicAnswers = ({ text, words, usage }) => {
  const counts = { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_sequence: null };
  const whole = { ...message, content: [{ type: 'text', text }], stop_reason: 'end_turn', usage: counts };
  const start = { ...message, content: [], stop_reason: null, usage: { ...counts, output_tokens: 1 } };
  const events = [
    { type: 'message_start', message: start },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...words.map((word) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: word } })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: counts },
    { type: 'message_stop' },
  ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return { whole: Buffer.from(JSON.stringify(whole)), events };
};
