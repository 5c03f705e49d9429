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

/** So much of a secret must not be shown: a piece of it is as good as found. */
const RUN = 8;
/** A header's value may hold words as they stand in every message, such as `https://` or a product's name. */
const PLAIN_WORDS = /^[a-z:/._ -]+$/;

interface Form {
  text: string;
  /** A piece of the form so long gives `RUN` characters of the secret away. */
  run: number;
}

/**
 * Base64 of a secret inside a longer text, such as a whole header: its characters depend on the place modulo 3, and the
 * ones at both ends on the neighbours.
 */
const base64Forms = (secret: string): string[] =>
  [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    return (['base64', 'base64url'] as const).map((encoding) =>
      bytes
        .toString(encoding)
        .replace(/=+$/, '')
        .slice(offset === 0 ? 0 : offset + 1),
    );
  });

/** The encodings in which a provider may repeat what it was sent. */
const formsOf = (secret: string): Form[] => {
  const hex = Buffer.from(secret).toString('hex');
  const whole = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  return [
    ...whole.map((text) => ({ text, run: text.length })),
    { text: secret, run: RUN },
    ...[hex, hex.toUpperCase()].map((text) => ({ text, run: 2 * RUN })),
    ...base64Forms(secret).map((text) => ({ text, run: RUN + 4 })),
  ].filter(({ text, run }) => run > 0 && text.length >= run);
};

const redactRuns = (text: string, { text: form, run }: Form): string => {
  const runs = new Set<string>();
  for (let start = 0; start + run <= form.length; start += 1) runs.add(form.slice(start, start + run));
  let redacted = '';
  let kept = 0;
  for (let start = 0; start + run <= text.length; start += 1) {
    const piece = text.slice(start, start + run);
    if (!runs.has(piece) || (run < form.length && PLAIN_WORDS.test(piece))) continue;
    let end = start + run;
    while (end < text.length && runs.has(text.slice(end + 1 - run, end + 1))) end += 1;
    redacted += `${text.slice(kept, start)}[redacted]`;
    kept = end;
    start = end - 1;
  }
  return redacted + text.slice(kept);
};

/**
 * Replaces the known secrets alone, whole or in pieces, also in the encodings in which a provider may repeat them: for
 * names, some of which begin like a key (`pplx-70b-online`).
 */
export const redactKnown = (text: string, secrets: readonly string[]): string =>
  secrets.flatMap(formsOf).reduce(redactRuns, text);

/** Replaces the known secrets, and everything that looks like one. */
export const scrubKnown = (text: string, secrets: readonly string[]): string => scrub(redactKnown(text, secrets));
