import type { Span } from '../../platform/tracing/span.js';
import { codeOf } from './storage-errors.js';

/** What is sent; the path is not told, since it holds what callers name. The span of its handling tells the route. */
interface TracedRequest {
  method: string;
  address: string;
}

/** One request to the storage service, as a step of the request it is sent for: it goes on there in the same trace. */
export const traced = async <Answer extends { status: number }>(
  span: Span,
  { method, address }: TracedRequest,
  send: (headers: Record<string, string>) => Promise<Answer>,
): Promise<Answer> => {
  const { hostname, port } = new URL(address);
  const sent = span.startRequest(`${method} storage`, {
    'http.request.method': method,
    'server.address': hostname,
    'server.port': port === '' ? null : Number(port),
  });
  try {
    const answer = await send(sent.headers());
    sent.describe({ 'http.response.status_code': answer.status });
    sent.end(answer.status >= 400 ? String(answer.status) : null);
    return answer;
  } catch (error) {
    sent.end(codeOf(error) || 'network');
    throw error;
  }
};
