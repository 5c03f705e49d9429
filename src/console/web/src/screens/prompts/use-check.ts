import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, bodyOf, type Schemas } from '../../api/client';
import { useSpoken } from '../../language/language';
import type { TextError } from './editor/text-errors';
import type { PromptContent, PromptValue } from './prompt-content';
import { withoutOptions } from './prompt-draft';

/** While somebody types, the hub is left alone. */
const PAUSE_MILLISECONDS = 300;
/** What was asked about a text is not kept once the text is another. */
const KEEP_MILLISECONDS = 10_000;

const WITHOUT_ERRORS: Schemas['PromptTextError'][] = [];

const textOf = ({ prompt_content, syntax, variables }: PromptContent) =>
  ({ prompt_content, syntax, variables }) as Schemas['PromptDraft'];

export interface Checked {
  /** What was looked at: what is shown, or what it was a moment ago. */
  content: PromptContent;
  errors: readonly TextError[];
  /** The text is what it should be, as far as it was looked at. */
  isValid: boolean;
  isChecking: boolean;
  /** The declarations themselves are wrong, or the hub is away. */
  error: Error | null;
}

/** What the hub says of a text: errors with their places, in the reader's language where it is known. */
export const useCheck = (content: PromptContent): Checked => {
  const { t } = useSpoken();
  const [asked] = useDebouncedValue(content, PAUSE_MILLISECONDS);
  const isEmpty = asked.prompt_content === '';
  const found = useQuery({
    queryKey: ['prompt-check', textOf(asked)],
    queryFn: ({ signal }) => bodyOf(api.POST('/api/v1/ai-models/prompts/validate', { body: textOf(asked), signal })),
    enabled: !isEmpty && withoutOptions(asked).length === 0,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: KEEP_MILLISECONDS,
  });
  const wrong = isEmpty ? WITHOUT_ERRORS : (found.data?.errors ?? WITHOUT_ERRORS);
  const errors = useMemo(
    () =>
      wrong.map(({ line, column, code, message, name }) => ({
        line,
        column,
        message: t.prompts.errors[code]?.(name ?? '') ?? message,
      })),
    [wrong, t],
  );
  return {
    content: asked,
    errors,
    isValid: !isEmpty && found.data?.valid === true && !found.isPlaceholderData && !found.error,
    isChecking: found.isFetching || asked !== content,
    error: found.error,
  };
};

/** A text with values, as a model would get it. */
export const useRendered = (content: PromptContent, values: Record<string, PromptValue>, isValid: boolean) => {
  const [given] = useDebouncedValue(values, PAUSE_MILLISECONDS);
  const body = { ...textOf(content), values: given };
  return useQuery({
    queryKey: ['prompt-preview', body],
    queryFn: ({ signal }) => bodyOf(api.POST('/api/v1/ai-models/prompts/render', { body, signal })),
    enabled: isValid,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    // Values may be secrets.
    gcTime: 0,
  });
};
