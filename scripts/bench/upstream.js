// The provider of the benchmark: answers at once, whole or as a stream of 20 events.
import { createServer } from 'node:http';

const usage = { prompt_tokens: 20, completion_tokens: 40, total_tokens: 60 };
const message = { role: 'assistant', content: 'The quick brown fox jumps over the lazy dog. '.repeat(8) };
const whole = Buffer.from(
  JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage,
  }),
);
const event = (choice) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: choice ? [choice] : [], ...(choice ? {} : { usage }) })}\n\n`;
const events = Array.from({ length: 20 }, (_, index) =>
  event({ index: 0, delta: { content: `word ${index} ` }, finish_reason: null }),
);
events.push(event({ index: 0, delta: {}, finish_reason: 'stop' }), event(null), 'data: [DONE]\n\n');

const server = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    if (!Buffer.concat(pieces).includes('"stream":true')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length });
      response.end(whole);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const one of events) response.write(one);
    response.end();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`Ready: http://127.0.0.1:${server.address().port}`));
