import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../../api/client';
import type { operations } from '../../api/schema';

export type PromptSummary = Schemas['PromptSummary'];
export type Prompt = Schemas['PromptView'];
export type PromptVersion = Schemas['PromptVersionView'];
export type VersionSummary = Schemas['PromptVersionSummary'];
export type PromptQuery = NonNullable<operations['PromptController_list']['parameters']['query']>;

export const PROMPTS_KEY = 'prompts';
/** Rows that are fetched and drawn at a time. */
export const PAGE = 50;

/** Prompts page by page, as the filters say. */
export const usePrompts = (filters: PromptQuery) =>
  useInfiniteQuery({
    queryKey: [PROMPTS_KEY, 'list', filters],
    queryFn: ({ pageParam, signal }) =>
      bodyOf(
        api.GET('/api/v1/ai-models/prompts', {
          params: { query: { ...filters, skip: pageParam, limit: PAGE } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: ({ skip, limit, total }) => (skip + limit < total ? skip + limit : undefined),
    placeholderData: keepPreviousData,
  });

export const fetchPrompt = (id: string, signal?: AbortSignal): Promise<Prompt> =>
  bodyOf(api.GET('/api/v1/ai-models/prompts/{id}', { params: { path: { id } }, ...(signal && { signal }) }));

export const usePrompt = (id: string) =>
  useQuery({ queryKey: [PROMPTS_KEY, id, 'one'], queryFn: ({ signal }) => fetchPrompt(id, signal) });

/** Versions without their texts, newest first. */
export const useVersions = (id: string) =>
  useInfiniteQuery({
    queryKey: [PROMPTS_KEY, id, 'versions'],
    queryFn: ({ pageParam, signal }) =>
      bodyOf(
        api.GET('/api/v1/ai-models/prompts/{id}/versions', {
          params: { path: { id }, query: { skip: pageParam, limit: PAGE } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: ({ skip, limit, total }) => (skip + limit < total ? skip + limit : undefined),
  });

export const fetchVersion = (id: string, number: number, signal?: AbortSignal): Promise<PromptVersion> =>
  bodyOf(
    api.GET('/api/v1/ai-models/prompts/{id}/versions/{number}', {
      params: { path: { id, number } },
      ...(signal && { signal }),
    }),
  );

const versionQuery = (id: string, number: number) => ({
  queryKey: [PROMPTS_KEY, id, 'version', number],
  queryFn: ({ signal }: { signal: AbortSignal }) => fetchVersion(id, number, signal),
  // The text of a version never changes; its labels are shown from elsewhere.
  staleTime: Infinity,
});

/** One version with its text; 0: none. */
export const useVersion = (id: string, number: number) =>
  useQuery({ ...versionQuery(id, number), enabled: number > 0 });

/** Changes that are looked through for names. */
const NAMES = 200;

/** Names of the tokens that wrote, as far as the history still knows them: a version has the id alone. */
export const useAuthors = (id: string): ReadonlyMap<string, string> => {
  const found = useQuery({
    queryKey: [PROMPTS_KEY, id, 'history'],
    queryFn: ({ signal }) =>
      bodyOf(
        api.GET('/api/v1/ai-models/prompts/{id}/history', {
          params: { path: { id }, query: { limit: NAMES } },
          signal,
        }),
      ),
  });
  const entries = found.data?.entries ?? [];
  return new Map(entries.flatMap(({ actor_id, actor_name }) => (actor_name ? [[actor_id, actor_name]] : [])));
};

/** The models whose default prompt it is. */
export const useFollowers = (id: string, isWanted = true) =>
  useQuery({
    queryKey: [PROMPTS_KEY, id, 'usages'],
    queryFn: ({ signal }) =>
      bodyOf(
        api.GET('/api/v1/ai-models/prompts/{id}/usages', { params: { path: { id }, query: { limit: 1000 } }, signal }),
      ),
    enabled: isWanted,
  });

export const useProtectedLabels = (): readonly string[] =>
  useQuery({
    queryKey: [PROMPTS_KEY, 'protected-labels'],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/v1/ai-models/prompts/protected-labels', { signal })),
    staleTime: 60_000,
  }).data?.labels ?? [];
