import type { IncomingHttpHeaders } from 'node:http';
import {
  createTraceState,
  ROOT_CONTEXT,
  type Context,
  type Span as ApiSpan,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Env } from '../config/env.js';
import type { ThisInstance } from '../config/this-instance.js';
import { Collector } from './collector.js';
import { parseCollectorHeaders } from './collector-headers.js';
import { type AnsweredRequest, type Span, type SpanFields, Tracing } from './span.js';
import { formatTraceParent, parseTraceParent } from './trace-parent.js';

/** About 2 KB each. What comes when it is full is lost: a call does not wait for its span. */
const MAX_WAITING_SPANS = 4096;
/** Making the text of one batch keeps the event loop busy for a few milliseconds. */
const SPANS_PER_BATCH = 256;
const BATCH_MILLISECONDS = 500;
const EXPORT_MILLISECONDS = 5000;
/** The flag, as a number. */
const SAMPLED: number = TraceFlags.SAMPLED;
const MAX_FIELDS = 32;
const MAX_TEXT = 256;
/** At the end of the process all batches are sent at once. */
const MOST_EXPORTS_AT_ONCE = MAX_WAITING_SPANS / SPANS_PER_BATCH + 2;
/** Who did not take the last spans is not waited for. */
const AWAY_MILLISECONDS = 100;

/**
 * Spans by OpenTelemetry's SDK, to a collector that speaks OTLP over HTTP. Nothing is registered globally and no library is
 * patched: every span is begun by the code whose step it is.
 */
export class OpenTelemetry extends Tracing {
  private constructor(
    private readonly provider: BasicTracerProvider,
    private readonly tracer: Tracer,
    private readonly collector: Collector,
  ) {
    super();
  }

  /** @param endpoint the base that `/v1/traces` is appended to */
  static start(env: Env, endpoint: string, instance: ThisInstance): OpenTelemetry {
    const collector = new Collector({
      url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
      headers: parseCollectorHeaders(env.OTEL_EXPORTER_OTLP_HEADERS?.reveal() ?? '') ?? {},
      milliseconds: EXPORT_MILLISECONDS,
      mostAtOnce: MOST_EXPORTS_AT_ONCE,
    });
    const provider = new BasicTracerProvider({
      resource: resourceFromAttributes({
        'service.name': env.OTEL_SERVICE_NAME,
        'service.version': instance.version,
        'service.instance.id': instance.id,
        'hub.role': env.SERVICE_ROLE,
      }),
      // Who asks decides for his trace; the ratio is for the traces that begin here.
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(env.OTEL_TRACES_SAMPLER_ARG) }),
      // Named here, so that no other variable of the environment counts.
      spanLimits: { attributeCountLimit: MAX_FIELDS, attributeValueLengthLimit: MAX_TEXT },
      spanProcessors: [
        new BatchSpanProcessor(collector, {
          maxQueueSize: MAX_WAITING_SPANS,
          maxExportBatchSize: SPANS_PER_BATCH,
          scheduledDelayMillis: BATCH_MILLISECONDS,
          // The collector's own limit counts.
          exportTimeoutMillis: EXPORT_MILLISECONDS * 2,
        }),
      ],
    });
    return new OpenTelemetry(provider, provider.getTracer('ai-model-hub', instance.version), collector);
  }

  begin({ name, headers, fields, onlyWithin }: AnsweredRequest): Span | null {
    const parent = contextOf(headers);
    if (!parent && onlyWithin) return null;
    const options = { kind: SpanKind.SERVER, attributes: given(fields) };
    return new OpenTelemetrySpan(this.tracer, this.tracer.startSpan(name, options, parent ?? ROOT_CONTEXT));
  }

  async close(milliseconds: number): Promise<void> {
    const time = this.collector.isAway ? Math.min(milliseconds, AWAY_MILLISECONDS) : milliseconds;
    const handedOver = this.provider.shutdown().catch(() => undefined);
    await Promise.race([handedOver, sleep(time, undefined, { ref: false })]);
    this.collector.disconnect();
  }
}

/** The trace that a request is part of. A `tracestate` that is too long or malformed is left out. */
const contextOf = (headers: IncomingHttpHeaders): Context | null => {
  const parent = parseTraceParent(headers['traceparent']);
  if (!parent) return null;
  const { traceId, spanId, isSampled } = parent;
  const state = headers['tracestate'];
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(typeof state === 'string' && { traceState: createTraceState(state) }),
  });
};

const given = (fields: SpanFields): Record<string, string | number | boolean> => {
  const attributes: Record<string, string | number | boolean> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== null && value !== undefined) attributes[name] = value;
  }
  return attributes;
};

class OpenTelemetrySpan implements Span {
  constructor(
    private readonly tracer: Tracer,
    private readonly span: ApiSpan,
  ) {}

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  get isRecorded(): boolean {
    return this.span.isRecording();
  }

  describe(fields: SpanFields, name?: string): void {
    if (!this.span.isRecording()) return;
    if (name !== undefined) this.span.updateName(name);
    this.span.setAttributes(given(fields));
  }

  startRequest(name: string, fields: SpanFields): Span {
    const context = trace.setSpan(ROOT_CONTEXT, this.span);
    const options = { kind: SpanKind.CLIENT, attributes: given(fields) };
    return new OpenTelemetrySpan(this.tracer, this.tracer.startSpan(name, options, context));
  }

  headers(): Record<string, string> {
    const { traceId, spanId, traceFlags, traceState } = this.span.spanContext();
    const isSampled = (traceFlags & SAMPLED) === SAMPLED;
    const state = traceState?.serialize();
    return { traceparent: formatTraceParent({ traceId, spanId, isSampled }), ...(state && { tracestate: state }) };
  }

  end(failure: string | null): void {
    if (failure !== null) {
      this.span.setAttribute('error.type', failure);
      // Without a message: it would be a text of whoever failed.
      this.span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.span.end();
  }
}
