import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react';
import { en } from './en';
import type { Texts } from './texts';
import { zhCN } from './zh-CN';

export type Language = 'zh-CN' | 'en';

const TEXTS: Record<Language, Texts> = { 'zh-CN': zhCN, en };

/** Numbers, times and texts of the language that was chosen. */
export interface Spoken {
  language: Language;
  t: Texts;
  number: (value: number, digits?: number) => string;
  percent: (share: number) => string;
  usd: (value: number) => string;
  /** `412 ms` or `1.3 s`. */
  duration: (milliseconds: number) => string;
  /** With its zone, so that nobody has to guess. */
  time: (text: string) => string;
  /** `2 分钟前`. */
  ago: (text: string | null) => string;
}

const STEPS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

const speak = (language: Language): Spoken => {
  const t = TEXTS[language];
  const number = (value: number, digits = 0): string =>
    new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  const times = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  const zone = new Intl.DateTimeFormat(language, { timeZoneName: 'short' });
  const zoneOf = (date: Date): string =>
    zone.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  return {
    language,
    t,
    number,
    percent: (share) => `${number(share * 100, share < 0.1 ? 2 : 1)} %`,
    usd: (value) => `$${number(value, value < 1 ? 4 : 2)}`,
    duration: (milliseconds) =>
      milliseconds < 1000 ? `${number(milliseconds)} ms` : `${number(milliseconds / 1000, 1)} s`,
    time: (text) => `${times.format(new Date(text))} ${zoneOf(new Date(text))}`,
    ago: (text) => {
      if (text === null) return t.common.never;
      const seconds = Math.round((Date.now() - Date.parse(text)) / 1000);
      const [unit, length] = STEPS.find(([, step]) => seconds >= step) ?? (['second', 1] as const);
      return relative.format(-Math.round(seconds / length), unit);
    },
  };
};

const SpokenContext = createContext<Spoken>(speak('zh-CN'));

export const useSpoken = (): Spoken => useContext(SpokenContext);

export function LanguageProvider({ language, children }: { language: Language; children: ReactNode }): ReactNode {
  const spoken = useMemo(() => speak(language), [language]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return <SpokenContext value={spoken}>{children}</SpokenContext>;
}
