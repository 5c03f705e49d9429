import { useEffect } from 'react';

const PREFIX = 'hub-draft:';

/** A draft survives a reload of this tab; secrets are never in it. */
export const readKeptDraft = (key: string): unknown => {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + key) ?? 'null');
  } catch {
    return null;
  }
};

export const forgetDraft = (key: string): void => sessionStorage.removeItem(PREFIX + key);

/** null: there is nothing to keep. */
export const useKeptDraft = (key: string, draft: object | null): void => {
  useEffect(() => {
    if (draft) sessionStorage.setItem(PREFIX + key, JSON.stringify(draft));
    else forgetDraft(key);
  }, [key, draft]);
};
