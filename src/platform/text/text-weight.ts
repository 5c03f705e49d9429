/**
 * The weight of a text is its length in characters of which about four make a token. From U+3000 on (CJK, Hangul,
 * full-width forms, emoji) one character is about one token, hence four such characters.
 */
export const CHARACTERS_PER_TOKEN = 4;

const WIDE_FROM = 0x3000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

export const weighText = (text: string): number => {
  let weight = 0;
  for (let at = 0; at < text.length; at += 1) weight += weighCodeUnit(text.charCodeAt(at));
  return weight;
};

/** How many tokens a weight is about. */
export const toTokens = (weight: number): number =>
  weight > 0 && Number.isFinite(weight) ? Math.ceil(weight / CHARACTERS_PER_TOKEN) : 0;

/** Half for each of a surrogate pair, so that the pair is one wide character. */
const weighCodeUnit = (unit: number): number => {
  if (unit < WIDE_FROM) return 1;
  return unit >= 0xd800 && unit <= 0xdfff ? CHARACTERS_PER_TOKEN / 2 : CHARACTERS_PER_TOKEN;
};

/**
 * Weighs a JSON string inside a text decoded as latin1 (one character per UTF-8 byte), from behind its opening quote to
 * its closing one, without decoding it.
 */
export const weighJsonString = (latin1: string, from: number): number => {
  let weight = 0;
  for (let at = from; at < latin1.length; at += 1) {
    const byte = latin1.charCodeAt(at);
    if (byte === QUOTE) break;
    if (byte !== BACKSLASH) {
      weight += weighUtf8Byte(byte);
    } else if (latin1.charCodeAt(at + 1) === LETTER_U) {
      weight += weighCodeUnit(Number.parseInt(latin1.slice(at + 2, at + 6), 16));
      at += 5;
    } else {
      weight += 1;
      at += 1;
    }
  }
  return weight;
};

/** The first byte of a character stands for all of it: 0xE3 begins U+3000. */
const weighUtf8Byte = (byte: number): number => {
  if (byte < 0x80) return 1;
  if (byte < 0xc0) return 0;
  return byte < 0xe3 ? 1 : CHARACTERS_PER_TOKEN;
};
