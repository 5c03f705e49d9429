/**
 * Node ignores unknown characters, mixes both alphabets and drops unused trailing bits, so that many texts stand for
 * the same bytes. Only the one text that encoding gives is accepted here; everything else is null.
 */
export function decodeBase64Url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

/** The standard or the url alphabet, not a mixture; padding complete or absent, as both are in use for keys. */
export function decodeAnyBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  const padded = bytes.toString('base64');
  const padding = padded.slice(padded.replace(/=+$/, '').length);
  const url = bytes.toString('base64url');
  const spellings = [padded, padded.slice(0, padded.length - padding.length), url, url + padding];
  if (spellings.includes(text)) return bytes;
  bytes.fill(0);
  return null;
}
