import { useEffect } from 'react';
import type { ModelDraft } from './model-draft';

const PREFIX = 'hub-draft:';

interface Kept {
  /** The version the draft is based on; null: it is new. */
  version: number | null;
  draft: ModelDraft;
}

/** A draft survives a reload of this tab; secrets are never in it. */
export const readKeptDraft = (key: string): Kept | null => {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + key) ?? 'null') as Kept | null;
  } catch {
    return null;
  }
};

export const forgetDraft = (key: string): void => sessionStorage.removeItem(PREFIX + key);

export const useKeptDraft = (key: string, kept: Kept, isChanged: boolean): void => {
  useEffect(() => {
    if (isChanged) sessionStorage.setItem(PREFIX + key, JSON.stringify(kept));
    else forgetDraft(key);
  }, [key, kept, isChanged]);
};

/** The browser asks before the page goes away with what is not saved. */
export const useLeaveGuard = (isChanged: boolean): void => {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    if (isChanged) addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isChanged]);
};
