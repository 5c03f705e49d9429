import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedCall {
  path: string;
  headers: IncomingHttpHeaders;
  raw: Buffer;
  body: Record<string, unknown>;
  /** Resolves when the connection of this call is gone. */
  closed: Promise<void>;
}

export type Script = (call: ReceivedCall, response: ServerResponse) => void | Promise<void>;

export interface FakeProvider {
  /** For `api_base`. */
  readonly url: string;
  readonly calls: ReceivedCall[];
  /** What it does with the calls to come. */
  answerWith(script: Script): void;
  close(): Promise<void>;
}

export const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

/** A whole answer in OpenAI's format. */
export const wholeAnswer = (content: string, usage: object | null = USAGE): Record<string, unknown> => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'real-model',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  ...(usage && { usage }),
});

export const chunk = (content: string, finishReason: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: content ? { content } : {}, finish_reason: finishReason }] })}\n\n`;

export const usageChunk = (usage: object = USAGE): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [], usage })}\n\n`;

export const DONE = 'data: [DONE]\n\n';

export const sendJson = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
};

/** A vector for each text. */
export const vectorsFor = (input: unknown): Record<string, unknown> => ({
  object: 'list',
  model: 'real-model',
  data: [input].flat().map((_text, index) => ({ object: 'embedding', index, embedding: [0.25, -0.5, index] })),
  usage: { prompt_tokens: 3, total_tokens: 3 },
});

/** Answers whole or streamed, as asked, in a few pieces. */
export const politeScript: Script = (call, response) => {
  if (call.path.endsWith('/embeddings')) return sendJson(response, 200, vectorsFor(call.body['input']));
  if (call.body['stream'] !== true) return sendJson(response, 200, wholeAnswer('Hello'));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunk('Hel'));
  response.write(chunk('lo'));
  response.write(chunk('', 'stop'));
  const options = call.body['stream_options'] as { include_usage?: boolean } | undefined;
  if (options?.include_usage) response.write(usageChunk());
  response.end(DONE);
};

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
};

/** A provider that speaks OpenAI's wire format on a real socket and does what a test tells it. */
export async function startFakeProvider(script: Script = politeScript): Promise<FakeProvider> {
  let current = script;
  const calls: ReceivedCall[] = [];
  const server = createServer((request, response) => {
    const closed = new Promise<void>((resolve) => response.on('close', () => resolve()));
    void readBody(request).then(
      (raw) => {
        const body = JSON.parse(raw.toString('utf8') || '{}') as Record<string, unknown>;
        const call = { path: request.url ?? '', headers: request.headers, raw, body, closed };
        calls.push(call);
        return current(call, response);
      },
      () => undefined,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    calls,
    answerWith: (next) => {
      current = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
