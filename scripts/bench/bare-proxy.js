// The baseline: the least a proxy in Node can do. Parses the body, replaces the model, forwards, pipes the answer back.
import { createServer } from 'node:http';
import { Pool } from 'undici';

const upstream = new Pool(process.env.UPSTREAM, { connections: 512 });

const server = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(pieces).toString('utf8'));
    body.model = 'm';
    const headers = { 'content-type': 'application/json', authorization: 'Bearer key' };
    upstream
      .stream(
        { path: '/v1/chat/completions', method: 'POST', headers, body: JSON.stringify(body) },
        ({ statusCode, headers: answered }) => {
          response.writeHead(statusCode, { 'content-type': answered['content-type'] });
          return response;
        },
      )
      .catch(() => response.destroy());
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`Ready: http://127.0.0.1:${server.address().port}`));
