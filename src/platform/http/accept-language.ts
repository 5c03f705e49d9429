/** The languages that answers come in besides the names and codes that programs read. */
export const LANGUAGES = ['zh-CN', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The same text in every language: a missing one does not compile. */
export type Texts<Value = string> = Readonly<Record<Language, Value>>;

const DEFAULT_LANGUAGE: Language = 'en';
/** A header longer than any browser's is not read to its end. */
const MAX_CHARACTERS = 500;

interface Wish {
  language: Language;
  quality: number;
}

const wishOf = (entry: string): Wish | null => {
  const [, tag = '', quality = '1'] = /^\s*([a-z*-]{1,35})\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i.exec(entry) ?? [];
  const [primary] = tag.toLowerCase().split('-');
  const language = primary === 'zh' ? 'zh-CN' : primary === 'en' ? 'en' : primary === '*' ? DEFAULT_LANGUAGE : null;
  return language && { language, quality: Number(quality) };
};

/** The language of an answer, by `Accept-Language`: every Chinese counts as `zh-CN`; English where nothing fits. */
export const languageOf = (header: string | undefined): Language => {
  const wishes = (header ?? '').slice(0, MAX_CHARACTERS).split(',').map(wishOf);
  const [best] = wishes
    .filter((wish) => wish !== null)
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  return best?.language ?? DEFAULT_LANGUAGE;
};
