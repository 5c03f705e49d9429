// The provider of the benchmark: answers at once, whole or as a stream of 20 words, in OpenAI's wire format or Anthropic's.
import { createServer } from 'node:http';
import { anthropicAnswers } from './anthropic-answers.js';
import { openAiAnswers } from './openai-answers.js';

const said = {
  text: 'The quick brown fox jumps over the lazy dog. '.repeat(8),
  words: Array.from({ length: 20 }, (_, index) => `word ${index} `),
  usage: { prompt_tokens: 20, completion_tokens: 40, total_tokens: 60 },
};
const OPENAI = openAiAnswers(said);
const ANTHROPIC = anthropicAnswers(said);

const server = createServer((request, response) => {
  const { whole, events } = request.url.endsWith('/messages') ? ANTHROPIC : OPENAI;
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    if (!Buffer.concat(pieces).includes('"stream":true')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length });
      response.end(whole);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) response.write(event);
    response.end();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`Ready: http://127.0.0.1:${server.address().port}`));
