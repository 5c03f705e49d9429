import { redactKnown } from '../../platform/logging/scrub.js';
import type { ModelListing } from './provider.js';
import { ProviderError } from './provider-error.js';

/** The longest list known, OpenRouter's, is a tenth of it. */
export const MAX_LIST_BYTES = 8 * 1024 * 1024;

/** Throws `bad_answer` for what is no JSON. */
export const parseList = (bytes: Buffer, status: number): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new ProviderError('bad_answer', { status, message: 'the answer is not JSON' });
  }
};

/** What a provider told, without a credential that it may have told, too. */
export const withoutSecrets = ({ names, isListed, facts }: ModelListing, secrets: readonly string[]): ModelListing => ({
  names: redactNames(names, secrets),
  isListed,
  facts: { ...facts, display_name: facts.display_name && redactKnown(facts.display_name, secrets) },
});

/** At once: taking a text apart costs more than its length. No name has a line break in it. */
const redactNames = (names: string[], secrets: readonly string[]): string[] =>
  names.length === 0 ? [] : redactKnown(names.join('\n'), secrets).split('\n');
