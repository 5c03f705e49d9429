/** The beginning of either tag, however it is spelled. Linear: what stands between `<` and the word has no `<` in it. */
const OWN_TAG = /<(?=[\s/]*untrusted)/giu;

/**
 * Puts a value that comes from strangers between delimiters, so that a model can tell it from the prompt around it.
 * The value cannot close them: in it a `<` that would begin such a tag, in capitals or with blanks or slashes before
 * the word, becomes `&lt;`. Everything else stays as it is, and an empty value stays empty.
 *
 * It marks a border; whether a model respects it is the model's affair.
 */
export const delimit = (name: string, value: string): string =>
  value && `<untrusted name="${name}">${value.replace(OWN_TAG, '&lt;')}</untrusted>`;
