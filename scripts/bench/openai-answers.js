// The answers of the benchmark's provider in OpenAI's wire format.

/** The whole answer, and the events of a stream, of these words. */
export const openAiAnswers = ({ text, words, usage }) => {
  const head = { id: 'c', created: 1, model: 'm' };
  const message = { role: 'assistant', content: text };
  const choices = [{ index: 0, message, finish_reason: 'stop' }];
  const whole = { ...head, object: 'chat.completion', choices, usage };
  const event = (fields) =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], ...fields })}\n\n`;
  const choice = (delta, reason) => event({ choices: [{ index: 0, delta, finish_reason: reason }] });
  const events = [...words.map((word) => choice({ content: word }, null)), choice({}, 'stop'), event({ usage })];
  return { whole: Buffer.from(JSON.stringify(whole)), events: [...events, 'data: [DONE]\n\n'] };
};
