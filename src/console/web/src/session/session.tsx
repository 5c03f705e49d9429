import { useMutation, useQuery, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../api/client';
import { ApiFailure } from '../api/failure';

export type Session = Schemas['ConsoleSession'];

export const SESSION_KEY = ['session'];

/** Who is signed in; null: nobody. */
export const useSession = () =>
  useQuery({
    queryKey: SESSION_KEY,
    queryFn: async ({ signal }): Promise<Session | null> => {
      try {
        return await bodyOf(api.GET('/console/session', { signal }));
      } catch (error) {
        if (error instanceof ApiFailure && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });

export const useSignIn = (): UseMutationResult<Session, Error, Schemas['ConsoleSignIn']> => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body) => bodyOf(api.POST('/console/session', { body })),
    onSuccess: (session) => queries.setQueryData(SESSION_KEY, session),
  });
};

export const useSignOut = (): UseMutationResult<void, Error, void> => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => void (await api.DELETE('/console/session')),
    // Nothing of what was seen stays in memory.
    onSettled: () => {
      queries.clear();
      queries.setQueryData(SESSION_KEY, null);
    },
  });
};

/** The code in the link of the first start; taken out of the address, so that it is in no history of the browser. */
export const takeSignInCode = (): string | null => {
  const [, code] = /^#sign-in=([\w-]+)$/.exec(location.hash) ?? [];
  if (code === undefined) return null;
  history.replaceState(null, '', location.pathname);
  return code;
};
