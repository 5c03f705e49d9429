/** How prompts and their labels are named, wherever that is done. */
export const PROMPT_NAME_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/;
export const PROMPT_NAME_FORM =
  '1 to 100 small letters, digits, dots, underscores or hyphens, with a letter or digit at both ends';

/** A label that can be asked for. */
export const LABEL_PATTERN = /^[a-z][a-z0-9._-]{0,35}$/;
export const LABEL_FORM =
  'a small letter followed by up to 35 small letters, digits, dots, underscores or hyphens, such as production';

/** A label that can be given to a version: `latest` is computed, `draft` is for what is not saved. */
export const MOVABLE_LABEL_PATTERN = /^(?!(?:latest|draft)$)[a-z][a-z0-9._-]{0,35}$/;
export const MOVABLE_LABEL_FORM = `${LABEL_FORM}, and neither latest nor draft`;

/** What is meant when nothing is said. */
export const DEFAULT_LABEL = 'production';
/** Always the newest version; nobody can move it. */
export const LATEST_LABEL = 'latest';

/** One version of a prompt: by its number, or the one that a label stands at. */
export type PromptSelector = { version: number } | { label: string };

/** Whether both a label and a version are given; neither means {@link DEFAULT_LABEL}. Null counts as not given. */
export const toSelector = (label?: string | null, version?: number | null): PromptSelector | 'both' => {
  const hasVersion = version !== undefined && version !== null;
  const hasLabel = label !== undefined && label !== null;
  if (hasVersion) return hasLabel ? 'both' : { version };
  return { label: label ?? DEFAULT_LABEL };
};

/**
 * The version that a label stands at, if any. A label may be called as something that every object has; 0 is the latest
 * version of a prompt that has no text yet.
 */
export const versionAt = (
  label: string,
  latestVersion: number,
  labels: Readonly<Record<string, number>>,
): number | undefined => {
  if (label === LATEST_LABEL) return latestVersion || undefined;
  return Object.hasOwn(labels, label) ? labels[label] : undefined;
};
