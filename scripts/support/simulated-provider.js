// The simulated provider of the demo and of the pictures: OpenAI's chat format, and no intelligence at all.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Only the key that was saved in the hub opens this door: an answer proves that it arrived unharmed. */
export const API_KEY = 'sk-simulated-0123456789';

const readJson = async (request) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString('utf8'));
};

const partsOf = ({ content }) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content);

/** Says what arrived, so that one sees what the hub sent. */
const replyTo = ({ model, messages }) => {
  const parts = messages.flatMap(partsOf);
  const words = parts.flatMap((part) => (part.type === 'text' ? part.text.split(/\s+/) : [])).length;
  const images = parts.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : []));
  const seen = images.map((url) => ` and one ${url.slice(5, url.indexOf(';'))} (${url.length} characters)`);
  return `Simulated answer of ${model}: I received ${words} words${seen.join('')}.`;
};

const usageOf = (text) => {
  const completion = text.split(' ').length;
  return { prompt_tokens: 12, completion_tokens: completion, total_tokens: 12 + completion };
};

const sendJson = (response, status, body) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const sendWhole = (response, text) =>
  sendJson(response, 200, {
    id: 'simulated',
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: usageOf(text),
  });

const sendStream = async (response, text) => {
  const send = (fields) =>
    response.write(`data: ${JSON.stringify({ id: 'simulated', object: 'chat.completion.chunk', ...fields })}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const word of text.split(/(?<= )/)) {
    send({ choices: [{ index: 0, delta: { content: word }, finish_reason: null }] });
    await sleep(40);
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  send({ choices: [], usage: usageOf(text) });
  response.end('data: [DONE]\n\n');
};

const answer = async (request, response) => {
  const body = await readJson(request);
  if (request.headers.authorization !== `Bearer ${API_KEY}`) {
    return sendJson(response, 401, { error: { message: 'wrong key', code: 'invalid_api_key' } });
  }
  if (body.model === 'simulated-broken') return sendJson(response, 500, { error: { message: 'simulated failure' } });
  return body.stream ? sendStream(response, replyTo(body)) : sendWhole(response, replyTo(body));
};

export const startProvider = async () => {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => sendJson(response, 400, { error: { message: error.message } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
