import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './calls.js';

/** A span as it arrived, its fields by their names. */
export interface CollectedSpan {
  service: string;
  name: string;
  kind: 'server' | 'client' | 'other';
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  traceState: string | undefined;
  isError: boolean;
  statusMessage: string | undefined;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number;
  fields: Record<string, unknown>;
}

export interface ReceivedExport {
  path: string;
  headers: IncomingHttpHeaders;
  raw: string;
}

export interface FakeCollector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly exports: ReceivedExport[];
  spans(): CollectedSpan[];
  /** The spans of a trace, by their beginning, once there are so many. */
  trace(traceId: string, count: number): Promise<CollectedSpan[]>;
  /** What it does with the exports to come. */
  answerWith(script: (response: ServerResponse) => void): void;
  close(): Promise<void>;
}

interface OtlpAttribute {
  key: string;
  value: Record<string, unknown>;
}

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: OtlpAttribute[];
  status: { code?: number; message?: string };
}

interface OtlpExport {
  resourceSpans: { resource: { attributes: OtlpAttribute[] }; scopeSpans: { spans: OtlpSpan[] }[] }[];
}

const KINDS: Record<number, CollectedSpan['kind']> = { 2: 'server', 3: 'client' };
const ERROR = 2;

const fieldsOf = (attributes: readonly OtlpAttribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const toMilliseconds = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1000n) / 1000;

const toSpan = (span: OtlpSpan, service: string): CollectedSpan => ({
  service,
  name: span.name,
  kind: KINDS[span.kind] ?? 'other',
  traceId: span.traceId,
  spanId: span.spanId,
  parentSpanId: span.parentSpanId,
  traceState: span.traceState,
  isError: span.status.code === ERROR,
  statusMessage: span.status.message,
  startedAt: toMilliseconds(span.startTimeUnixNano),
  endedAt: toMilliseconds(span.endTimeUnixNano),
  fields: fieldsOf(span.attributes),
});

const spansIn = ({ raw }: ReceivedExport): CollectedSpan[] =>
  (JSON.parse(raw) as OtlpExport).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(fieldsOf(resource.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => toSpan(span, service)));
  });

const accept = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{}');
};

/** A collector that takes OTLP over HTTP as JSON, on a real socket, and does what a test tells it. */
export async function startFakeCollector(): Promise<FakeCollector> {
  let current = accept;
  const exports: ReceivedExport[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('error', () => undefined);
    request.on('end', () => {
      const raw = Buffer.concat(pieces).toString('utf8');
      exports.push({ path: request.url ?? '', headers: request.headers, raw });
      current(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const spans = (): CollectedSpan[] => exports.flatMap(spansIn);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exports,
    spans,
    trace: async (traceId, count) => {
      const found = await until(
        () => spans().filter((span) => span.traceId === traceId),
        (seen) => seen.length >= count,
      );
      return found.toSorted((a, b) => a.startedAt - b.startedAt);
    },
    answerWith: (script) => {
      current = script;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
