/** What a `traceparent` says. */
export interface TraceParent {
  traceId: string;
  spanId: string;
  isSampled: boolean;
}

/** W3C Trace Context: version, trace, span, flags; later versions may go on behind another hyphen. */
const FORM = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 1;
/** Far more than a version of today has. */
const MAX_LENGTH = 200;

/** null: there is none, or it is malformed, and counts as if it were not there. */
export const parseTraceParent = (header: unknown): TraceParent | null => {
  if (typeof header !== 'string' || header.length > MAX_LENGTH) return null;
  const [, version, traceId = NO_TRACE, spanId = NO_SPAN, flags = '00', more] = FORM.exec(header.trim()) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
};

export const formatTraceParent = ({ traceId, spanId, isSampled }: TraceParent): string =>
  `00-${traceId}-${spanId}-0${isSampled ? SAMPLED : 0}`;
