/** What somebody likes: in a cookie of this path, since nothing of the console is in the browser's own storage. */
export interface Preferences {
  language: 'zh-CN' | 'en';
  theme: 'light' | 'dark' | 'auto';
}

const NAME = 'hub_preferences';
const YEAR = 365 * 24 * 60 * 60;

const given = (): Partial<Preferences> => {
  const [, text = ''] = new RegExp(`(?:^|; )${NAME}=([^;]*)`).exec(document.cookie) ?? [];
  const [language, theme] = text.split('.');
  return {
    ...(language === 'zh-CN' || language === 'en' ? { language } : {}),
    ...(theme === 'light' || theme === 'dark' || theme === 'auto' ? { theme } : {}),
  };
};

/** Chinese first: only who asks for English gets it unasked. */
const likely = (): Preferences => ({
  language: navigator.languages
    .find((one) => /^(zh|en)\b/i.test(one))
    ?.toLowerCase()
    .startsWith('en')
    ? 'en'
    : 'zh-CN',
  theme: 'auto',
});

export const readPreferences = (): Preferences => ({ ...likely(), ...given() });

export const writePreferences = ({ language, theme }: Preferences): void => {
  document.cookie = `${NAME}=${language}.${theme}; Path=/console; Max-Age=${YEAR}; SameSite=Strict`;
};
