import { useCallback, useMemo, useState } from 'react';
import { readKeptDraft, useKeptDraft } from '../../ui/kept-draft';
import type { PromptContent, PromptDraft } from './prompt-content';
import { contentOf, isSame, normalized } from './prompt-draft';
import { type Prompt, useVersion } from './use-prompts';

export interface Draft extends PromptDraft {
  isChanged: boolean;
  /** It was there when the page was opened. */
  wasKept: boolean;
  /** What the version it began with says; null: not known yet. */
  baseContent: PromptContent | null;
  change: (changed: Partial<PromptContent>) => void;
  begin: (draft: PromptDraft) => void;
  discard: () => void;
}

/** What somebody writes on the newest version, or on the one he began with. Without a change it follows the newest. */
export const useDraft = (prompt: Prompt): Draft => {
  const key = `prompt:${prompt.id}`;
  const kept = useMemo(() => readKeptDraft(key) as PromptDraft | null, [key]);
  const [draft, setDraft] = useState<PromptDraft | null>(kept);
  const latest = useMemo(() => contentOf(prompt), [prompt]);
  const base = draft?.base ?? prompt.latest_version;
  const isOnLatest = base === prompt.latest_version;
  const older = useVersion(prompt.id, isOnLatest ? 0 : base).data;
  const baseContent = useMemo(() => {
    if (isOnLatest) return latest;
    return older ? contentOf(older) : null;
  }, [isOnLatest, latest, older]);
  useKeptDraft(key, draft);

  const begin = useCallback((next: PromptDraft): void => setDraft(next), []);
  const change = useCallback(
    (changed: Partial<PromptContent>): void =>
      setDraft((before) => {
        const content = normalized({ ...(before?.content ?? latest), ...changed });
        return baseContent && isSame(content, baseContent) ? null : { base, content };
      }),
    [base, baseContent, latest],
  );
  return {
    base,
    content: draft?.content ?? latest,
    isChanged: draft !== null,
    wasKept: kept !== null && draft !== null,
    baseContent,
    change,
    begin,
    discard: useCallback(() => setDraft(null), []),
  };
};
