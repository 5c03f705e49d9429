import { useSearchParams } from 'wouter';

interface UrlParameters {
  params: URLSearchParams;
  /** null, or an empty text: it is left out. */
  change: (name: string, value: string | null) => void;
  clear: () => void;
}

/** What a screen shows is in its address: it can be sent to a colleague, and survives a reload. */
export const useUrlParameters = (): UrlParameters => {
  const [params, setParams] = useSearchParams();
  const change = (name: string, value: string | null): void => {
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  };
  return { params, change, clear: () => setParams(new URLSearchParams(), { replace: true }) };
};
