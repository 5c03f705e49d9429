import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Logger } from '@nestjs/common';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

/** Where the collector is, and how long it may take. */
export interface CollectorOptions {
  url: string;
  /** Secret. */
  headers: Record<string, string>;
  /** For one batch, its repetitions included. */
  milliseconds: number;
  mostAtOnce: number;
}

type Done = Parameters<SpanExporter['export']>[1];
type Result = Parameters<Done>[0];

/* oxlint-disable typescript/no-unsafe-enum-assignment -- ExportResultCode is of a package that is not ours to import */
const SUCCESS = 0 as Result['code'];
const FAILED = 1 as Result['code'];
/* oxlint-enable typescript/no-unsafe-enum-assignment */
const LATE: Result = { code: FAILED, error: Object.assign(new Error('late'), { code: 'ETIMEDOUT' }) };
const MAX_SOCKETS = 4;
/** Behind the exporter's own limit, which starts anew with every byte that arrives. */
const GRACE_MILLISECONDS = 500;

/**
 * Hands spans to a collector, as JSON of OTLP over HTTP. The address is the operator's, so it may be a private one; a redirect is
 * a failure, an answer is read up to 4 MB. What is not taken is lost: that is logged once, with how much it was when it is over.
 */
export class Collector implements SpanExporter {
  private readonly logger = new Logger('Traces');
  private readonly exporter: OTLPTraceExporter;
  private readonly agent: HttpAgent;
  private readonly origin: string;
  private readonly milliseconds: number;
  /** Since it failed first; null: it takes what it gets. */
  private lostSpans: number | null = null;
  private hangUps = 0;
  private isOver = false;

  constructor({ url, headers, milliseconds, mostAtOnce }: CollectorOptions) {
    const { protocol, origin } = new URL(url);
    const Agent = protocol === 'https:' ? HttpsAgent : HttpAgent;
    const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
    this.agent = agent;
    this.origin = origin;
    this.milliseconds = milliseconds;
    this.exporter = new OTLPTraceExporter({
      url,
      // Asked for before every attempt: one that the exporter had planned is given up at the end.
      headers: () => (this.isOver ? Promise.reject(new Error('closed')) : Promise.resolve(headers)),
      timeoutMillis: milliseconds,
      // It tells of one that is done while it still counts it, and refuses what comes at once after it.
      concurrencyLimit: mostAtOnce + 1,
      httpAgentOptions: () => agent,
    });
  }

  /** It did not take the last spans. */
  get isAway(): boolean {
    return this.lostSpans !== null;
  }

  export(spans: ReadableSpan[], done: Done): void {
    let timer: NodeJS.Timeout | undefined;
    let isTold = false;
    const { hangUps } = this;
    const tell = (result: Result): void => {
      clearTimeout(timer);
      if (isTold) return;
      isTold = true;
      // The exporter takes a good status for an answer, even when it was we who hung up on the rest of it.
      const outcome = hangUps === this.hangUps ? result : LATE;
      this.note(outcome, spans.length);
      done(outcome);
    };
    timer = setTimeout(() => {
      tell(LATE);
      // A collector that answers byte by byte would keep the connection for ever.
      this.hangUps += 1;
      this.agent.destroy();
    }, this.milliseconds + GRACE_MILLISECONDS);
    timer.unref();
    try {
      this.exporter.export(spans, tell);
    } catch (error) {
      tell({ code: FAILED, error: error instanceof Error ? error : new Error('failed') });
    }
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  /** Nothing is waited for any more. */
  disconnect(): void {
    this.isOver = true;
    this.agent.destroy();
  }

  private note({ code, error }: Result, spans: number): void {
    if (code === SUCCESS) return this.noteTaken();
    const isNews = this.lostSpans === null;
    this.lostSpans = (this.lostSpans ?? 0) + spans;
    if (!isNews || this.isOver) return;
    const msg =
      'The collector of OTEL_EXPORTER_OTLP_ENDPOINT does not take traces: they are lost until it does; calls go on';
    this.logger.warn({ msg, collector: this.origin, reason: reasonOf(error) });
  }

  private noteTaken(): void {
    if (this.lostSpans === null) return;
    const msg = 'The collector takes traces again';
    this.logger.log({ msg, collector: this.origin, lost_spans: this.lostSpans });
    this.lostSpans = null;
  }
}

/** Its status, or the code of the connection's failure: never its words, nor those of an error that may quote a header. */
const reasonOf = (error: unknown): string => {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'number') return `it answers ${code}`;
  return typeof code === 'string' ? code : 'no answer in time';
};
