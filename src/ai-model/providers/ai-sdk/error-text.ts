import { scrubKnown } from '../../../platform/logging/scrub.js';

const MAX_MESSAGE = 500;
/** What is cut off before a text is scrubbed would not be shown anyway. */
const MAX_READ = 4 * MAX_MESSAGE;

/** A provider's words for the caller; '': it said nothing. */
export const cleanText = (text: unknown, secrets: readonly string[]): string =>
  typeof text === 'string' ? scrubKnown(text.slice(0, MAX_READ), secrets).slice(0, MAX_MESSAGE) : '';

export const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');
