import { useEffect } from 'react';

const leadsAway = (event: MouseEvent): boolean => {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return false;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || link.target === '_blank') return false;
  return link.origin === location.origin && link.pathname !== location.pathname;
};

/** Asks before somebody goes away from what is not saved: to another page, or to another screen by a link. */
export const useLeaveGuard = (isChanged: boolean, question: string): void => {
  useEffect(() => {
    if (!isChanged) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    const askAtLink = (event: MouseEvent): void => {
      if (!leadsAway(event) || confirm(question)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    addEventListener('beforeunload', ask);
    document.addEventListener('click', askAtLink, true);
    return () => {
      removeEventListener('beforeunload', ask);
      document.removeEventListener('click', askAtLink, true);
    };
  }, [isChanged, question]);
};
