import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';

export interface RawRequest {
  method: string;
  /** Goes out to the letter: nothing is normalised or encoded on the way. */
  path: string;
  headers?: Record<string, string>;
  body?: Buffer | string | undefined;
}

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  milliseconds: number;
}

const ANSWER_MILLISECONDS = 10_000;

/** One request, on a connection of its own, without the courtesy of a client library, which would repair what a test wants to send. */
export const rawRequest = (url: string, { method, path, headers = {}, body }: RawRequest): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const startedAt = performance.now();
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = httpRequest({ agent: false, hostname, port, method, path, headers: { ...length, ...headers } });
    request.setTimeout(ANSWER_MILLISECONDS, () => request.destroy(new Error(`no answer: ${method} ${path}`)));
    request.on('error', reject);
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      const finish = (): void =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(pieces).toString('utf8'),
          milliseconds: performance.now() - startedAt,
        });
      // A stream need not end: its head is the answer, and the connection is dropped.
      if (response.headers['content-type']?.startsWith('text/event-stream')) {
        finish();
        request.destroy();
        return;
      }
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', finish);
      response.on('error', reject);
    });
    request.end(body);
  });
