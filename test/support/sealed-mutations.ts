/** A damaged copy of a sealed text, and what was done to it. */
export interface Mutation {
  what: string;
  text: string;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BITS = [0, 1, 2, 3, 4, 5, 6, 7];

const flipped = (bytes: Buffer, at: number, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at);
  return copy;
};

/** All bits of nonce and tag, one bit of every byte between them. */
const flipsOf = (bytes: Buffer): { at: number; bit: number }[] =>
  [...bytes.keys()].flatMap((at) => {
    const isBetween = at >= NONCE_BYTES && at < bytes.length - TAG_BYTES;
    return (isBetween ? [at % BITS.length] : BITS).map((bit) => ({ at, bit }));
  });

/**
 * How one may damage `hub1.<key id>.<b64u(nonce|wrapped key|tag)>.<b64u(nonce|ciphertext|tag)>`: bits of the decoded
 * blobs, one bit of every character of the text, and every way of cutting it.
 */
export const mutationsOf = (sealed: string): Mutation[] => {
  const parts = sealed.split('.');
  const blobs = [2, 3].flatMap((index) => {
    const bytes = Buffer.from(parts[index] ?? '', 'base64url');
    return flipsOf(bytes).map(({ at, bit }) => ({
      what: `bit ${bit} of byte ${at} of part ${index}`,
      text: parts.with(index, flipped(bytes, at, bit).toString('base64url')).join('.'),
    }));
  });
  const characters = [...Buffer.from(sealed).keys()].map((at) => ({
    what: `a bit of character ${at}`,
    // Bit 0 or 1 keeps it a printable character, which is all that a text column need hold.
    text: flipped(Buffer.from(sealed), at, at % 2).toString('latin1'),
  }));
  const cuts = [...sealed].flatMap((_, length) => [
    { what: `cut to ${length} characters`, text: sealed.slice(0, length) },
    { what: `without its first ${length + 1} characters`, text: sealed.slice(length + 1) },
  ]);
  const swapped = [parts.with(2, parts[3] ?? '').join('.'), parts.with(3, parts[2] ?? '').join('.')];
  return [
    ...blobs,
    ...characters,
    ...cuts,
    ...swapped.map((text) => ({ what: 'one part in place of another', text })),
    { what: 'a newline at its end', text: `${sealed}\n` },
    { what: 'padding', text: `${sealed}=` },
    { what: 'a part more', text: `${sealed}.${parts[3]}` },
  ];
};
