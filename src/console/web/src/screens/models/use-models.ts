import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../../api/client';
import type { paths } from '../../api/schema';

export type Model = Schemas['ModelConfigView'];
export type ModelFields = Schemas['ModelConfigUpdate'];
export type TestResult = Schemas['ConnectionTestResult'];
export type ModelQuery = NonNullable<paths['/api/v1/ai-models/configs']['get']['parameters']['query']>;

const MODELS_KEY = 'models';
/** Rows that are fetched and drawn at a time. */
export const PAGE = 50;

/** Configs page by page, as the filters say. */
export const useModels = (filters: ModelQuery) =>
  useInfiniteQuery({
    queryKey: [MODELS_KEY, 'list', filters],
    queryFn: ({ pageParam, signal }) =>
      bodyOf(
        api.GET('/api/v1/ai-models/configs', {
          params: { query: { ...filters, skip: pageParam, limit: PAGE } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: ({ skip, limit, total }) => (skip + limit < total ? skip + limit : undefined),
    placeholderData: keepPreviousData,
  });

export const fetchModel = (id: string, signal?: AbortSignal): Promise<Model> =>
  bodyOf(api.GET('/api/v1/ai-models/configs/{id}', { params: { path: { id } }, ...(signal && { signal }) }));

export const useModel = (id: string | null) =>
  useQuery({
    queryKey: [MODELS_KEY, 'one', id],
    queryFn: ({ signal }) => fetchModel(id ?? '', signal),
    enabled: id !== null,
    // A form works on what it was opened with; what others do meanwhile shows when it is saved.
    refetchOnWindowFocus: false,
  });

const saveModel = async (id: string | null, version: number | null, fields: ModelFields): Promise<Model> => {
  if (id === null) {
    return bodyOf(api.POST('/api/v1/ai-models/configs', { body: fields as Schemas['NewModelConfig'] }));
  }
  return bodyOf(
    api.PUT('/api/v1/ai-models/configs/{id}', {
      params: { path: { id }, header: version === null ? {} : { 'If-Match': `"${version}"` } },
      body: fields,
    }),
  );
};

interface Saving {
  id: string | null;
  /** What the change is based on; null: whatever is there. */
  version: number | null;
  fields: ModelFields;
}

export const useSaveModel = () => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, version, fields }: Saving) => saveModel(id, version, fields),
    // What was sent may hold a key: it is not kept.
    gcTime: 0,
    onSuccess: () => queries.invalidateQueries({ queryKey: [MODELS_KEY] }),
  });
};

export const useDeleteModel = () => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => {
      await api.DELETE('/api/v1/ai-models/configs/{id}', { params: { path: { id } } });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: [MODELS_KEY] }),
  });
};

/** Asks the provider, in the language that the hint is to be read in. */
export const useTestModel = (language: string) => {
  const queries = useQueryClient();
  return useMutation({
    gcTime: 0,
    mutationFn: (draft: Schemas['DraftTestRequest']): Promise<TestResult> =>
      bodyOf(api.POST('/api/v1/ai-models/configs/test', { body: draft, headers: { 'accept-language': language } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: [MODELS_KEY, 'list'] }),
  });
};
