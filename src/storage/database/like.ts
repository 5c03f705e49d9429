/** The pattern of a text that stands anywhere: `%` and `_` in it mean themselves. */
export const contains = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;
