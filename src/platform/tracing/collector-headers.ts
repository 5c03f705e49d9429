const NAME = /^[\w!#$%&'*+.^`|~-]{1,128}$/;
const VALUE = /^[\x20-\x7e]{0,4096}$/;
const MAX_HEADERS = 32;

const decode = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};

/**
 * The headers of `OTEL_EXPORTER_OTLP_HEADERS`, as OpenTelemetry writes them: `name=value`, comma-separated, values percent-encoded.
 * null: not of that form.
 */
export const parseCollectorHeaders = (text: string): Record<string, string> | null => {
  const entries = text.split(',').filter((entry) => entry.trim() !== '');
  if (entries.length === 0 || entries.length > MAX_HEADERS) return null;
  const headers: Record<string, string> = {};
  for (const entry of entries) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, Math.max(0, at)).trim().toLowerCase();
    const value = decode(entry.slice(at + 1).trim());
    if (!NAME.test(name) || name === '__proto__' || value === null || !VALUE.test(value)) return null;
    headers[name] = value;
  }
  return headers;
};
