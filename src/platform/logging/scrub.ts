/**
 * What keys and tokens look like. The second wall only: the first is that no secret is handed to a logger or an error
 * at all, and texts of a provider are scrubbed of the known key where they enter.
 */
const SECRET_SHAPES: readonly RegExp[] = [
  /\b(?:sk|rk|pk)-[A-Za-z0-9_-]{8,}/g,
  /\bAIza[A-Za-z0-9_-]{20,}/g,
  /\b(?:gsk|hf|xai|nvapi|pplx|r8)[_-][A-Za-z0-9_-]{8,}/g,
  /\bhub_[a-z]+_[A-Za-z0-9]+_[A-Za-z0-9]+/g,
  /\bhub1\.[A-Za-z0-9_.-]{20,}/g,
  /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi,
  /\b([a-z]{2,20}:\/\/[^\s:/@]{0,100}):[^\s@/]{1,200}@/gi,
];

const REPLACEMENTS: Record<number, string> = { 5: '$1 [redacted]', 6: '$1:[redacted]@' };

/** Replaces everything in `text` that looks like a key, a token or a password in an address. */
export const scrub = (text: string): string =>
  SECRET_SHAPES.reduce((scrubbed, shape, index) => scrubbed.replace(shape, REPLACEMENTS[index] ?? '[redacted]'), text);

/** Replaces the known secrets too, also in the encodings in which a provider may repeat them. */
export const scrubKnown = (text: string, secrets: readonly string[]): string => {
  let scrubbed = text;
  for (const secret of secrets) {
    for (const form of new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])) {
      if (form.length > 0) scrubbed = scrubbed.replaceAll(form, '[redacted]');
    }
  }
  return scrub(scrubbed);
};
