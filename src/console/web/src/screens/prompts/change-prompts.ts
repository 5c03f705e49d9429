import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../../api/client';
import type { PromptContent } from './prompt-content';
import { type Prompt, PROMPTS_KEY } from './use-prompts';

/** Whatever was changed: lists, versions and labels are looked at again. Texts of versions never change. */
export const useRefresh = (): (() => Promise<void>) => {
  const queries = useQueryClient();
  return () =>
    queries.invalidateQueries({
      queryKey: [PROMPTS_KEY],
      predicate: ({ queryKey }) => queryKey[2] !== 'version',
    });
};

export type NewPrompt = Schemas['PromptCreate'];

export const useCreatePrompt = () => {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (body: NewPrompt): Promise<Prompt> => bodyOf(api.POST('/api/v1/ai-models/prompts', { body })),
    onSuccess: refresh,
  });
};

interface MetadataChange {
  /** What the change is based on. */
  version: number;
  fields: Schemas['PromptUpdate'];
}

export const useUpdatePrompt = (id: string) => {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ version, fields }: MetadataChange): Promise<Prompt> =>
      bodyOf(
        api.PUT('/api/v1/ai-models/prompts/{id}', {
          params: { path: { id }, header: { 'If-Match': `"${version}"` } },
          body: fields,
        }),
      ),
    onSuccess: refresh,
  });
};

interface NewVersion {
  content: PromptContent;
  base: number;
  message: string;
}

export const useSaveVersion = (id: string) => {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ content, base, message }: NewVersion): Promise<Schemas['SavedPromptVersion']> =>
      bodyOf(
        api.POST('/api/v1/ai-models/prompts/{id}/versions', {
          params: { path: { id } },
          body: { ...(content as Schemas['PromptVersionCreate']), base_version: base, message },
        }),
      ),
    onSuccess: refresh,
  });
};

interface Restoring {
  version: number;
  base: number;
  message: string;
}

export const useRestoreVersion = (id: string) => {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ version, base, message }: Restoring): Promise<Schemas['SavedPromptVersion']> =>
      bodyOf(
        api.POST('/api/v1/ai-models/prompts/{id}/versions/{number}/restore', {
          params: { path: { id, number: version } },
          body: { base_version: base, message },
        }),
      ),
    onSuccess: refresh,
  });
};

export interface LabelMove {
  label: string;
  /** null: nowhere. */
  from: number | null;
  to: number | null;
  reason: string;
}

const moveLabel = async (id: string, { label, from, to, reason }: LabelMove): Promise<void> => {
  const path = { id, label };
  if (to === null) {
    const query = { reason, ...(from !== null && { expected_version: from }) };
    await api.DELETE('/api/v1/ai-models/prompts/{id}/labels/{label}', { params: { path, query } });
    return;
  }
  const body = { version: to, expected_version: from, reason };
  await api.PUT('/api/v1/ai-models/prompts/{id}/labels/{label}', { params: { path }, body });
};

/** Lets a label stand elsewhere, if it still stands where it was seen. */
export const useMoveLabel = (id: string) => {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (move: LabelMove) => moveLabel(id, move),
    onSettled: refresh,
  });
};

export const useArchive = (id: string) => {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: async (isArchived: boolean): Promise<void> => {
      const params = { path: { id } };
      if (isArchived) await api.DELETE('/api/v1/ai-models/prompts/{id}', { params });
      else await api.POST('/api/v1/ai-models/prompts/{id}/unarchive', { params });
    },
    onSuccess: refresh,
  });
};
