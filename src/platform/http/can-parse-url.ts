/**
 * Whether a text is an absolute URL. Not `URL.canParse`: once it is hot, that of Node 20 takes Latin-1 letters for broken
 * UTF-8 and refuses an address such as https://exämple.com.
 */
export const canParseUrl = (text: string): boolean => {
  try {
    return new URL(text).href !== '';
  } catch {
    return false;
  }
};
