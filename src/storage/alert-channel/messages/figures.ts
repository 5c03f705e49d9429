import type { AlertUnit, Language } from '../../../contract/alert-kinds.js';

type Step = readonly [seconds: number, chinese: string, english: string];

const STEPS: readonly Step[] = [
  [86_400, '天', 'day'],
  [3600, '小时', 'hour'],
  [60, '分钟', 'minute'],
  [1, '秒', 'second'],
];

/** A number with its noun: `1 call`, `3 calls`. */
export const plural = (count: number, noun: string): string =>
  `${numberText(count, 0)} ${noun}${count === 1 ? '' : 's'}`;

/** A length of time in words, in its two largest units: `2 hours 5 minutes`. */
export const durationText = (seconds: number, language: Language): string => {
  const whole = Math.max(0, Math.round(seconds));
  const at = STEPS.findIndex(([size]) => whole >= size);
  if (at === -1) return stepText(0, [1, '秒', 'second'], language);
  const pair = STEPS.slice(at, at + 2);
  const counts = pair.map(([size], index) => Math.floor((index === 0 ? whole : whole % (pair[0]?.[0] ?? 1)) / size));
  return pair.flatMap((step, index) => (counts[index] ? [stepText(counts[index], step, language)] : [])).join(' ');
};

/** How long something lasts that is known to the minute. */
export const lastingText = (from: Date, to: Date, language: Language): string => {
  const seconds = (to.getTime() - from.getTime()) / 1000;
  if (seconds < 60) return language === 'zh-CN' ? '不到 1 分钟' : 'less than a minute';
  return durationText(seconds - (seconds % 60), language);
};

/** A moment to the minute, with its zone. */
export const timeText = (time: Date): string => `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** A figure with its unit. */
export const figureText = (value: number, unit: AlertUnit, language: Language): string =>
  FIGURES[unit](value, language);

const stepText = (count: number, [, chinese, english]: Step, language: Language): string =>
  language === 'zh-CN' ? `${count} ${chinese}` : plural(count, english);

/** Rounded to so many decimals; a small number keeps two digits that say something. */
export const numberText = (value: number, decimals: number): string =>
  new Intl.NumberFormat(
    'en-US',
    value !== 0 && Math.abs(value) < 10 ** -decimals
      ? { maximumSignificantDigits: 2 }
      : { maximumFractionDigits: decimals },
  ).format(value);

const dollarText = (value: number): string =>
  new Intl.NumberFormat('en-US', {
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.abs(value) >= 1 || value === 0 ? 2 : 6,
  }).format(value);

const millisecondsText = (value: number, language: Language): string => {
  const [amount, chinese, english] =
    value < 1000 ? [numberText(value, 0), '毫秒', 'ms'] : [numberText(value / 1000, 1), '秒', 's'];
  return `${amount} ${language === 'zh-CN' ? chinese : english}`;
};

const FIGURES: Record<AlertUnit, (value: number, language: Language) => string> = {
  percent: (value) => `${numberText(value, 1)}%`,
  milliseconds: millisecondsText,
  calls: (value, language) => (language === 'zh-CN' ? `${numberText(value, 0)} 次` : plural(value, 'call')),
  usd: (value, language) => (language === 'zh-CN' ? `${dollarText(value)} 美元` : `$${dollarText(value)}`),
  seconds: durationText,
  minutes: (value, language) => durationText(value * 60, language),
};
