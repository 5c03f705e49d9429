import { OutboundError } from './outbound-error.js';
import { tooLarge, type OutboundResponse } from './outbound-exchange.js';

/** No provider's JSON answer is larger; without a bound one answer could fill the memory. */
export const DEFAULT_BODY_LIMIT_BYTES = 20 * 1024 * 1024;

/** Reads a whole body; over the limit it ends the upstream connection and fails with kind `too_large`. */
export function readBounded(response: OutboundResponse, limitBytes = DEFAULT_BODY_LIMIT_BYTES): Promise<Buffer> {
  const { body, headers } = response;
  if (body.destroyed) {
    return Promise.reject(body.errored ?? closedEarly());
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    if (Number(headers['content-length']) > limitBytes) {
      body.destroy(tooLarge(limitBytes));
    }
    // Events, not `for await`: this is the hot path, and iteration costs several promises per chunk.
    body.on('error', reject);
    body.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limitBytes) {
        body.destroy(tooLarge(limitBytes));
      } else {
        chunks.push(chunk);
      }
    });
    body.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length)));
    body.on('close', () => {
      if (!body.readableEnded) {
        reject(closedEarly()); // no effect after an error
      }
    });
  });
}

function closedEarly(): OutboundError {
  return new OutboundError('aborted', 'The answer was closed before it was read.');
}
