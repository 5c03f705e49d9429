import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CONSOLE_HEADERS, type Schemas } from '../../api/client';
import { ApiFailure, failureOf } from '../../api/failure';

export type Plan = Schemas['ImportPlan'];

const EXPORT = '/api/v1/ai-models/export';
const IMPORT = '/api/v1/ai-models/import';

const send = async (path: string, init: RequestInit): Promise<Response> => {
  const response = await fetch(path, init).catch(() => {
    throw new ApiFailure(0, 'unreachable', 'The hub cannot be reached.');
  });
  if (!response.ok) throw await failureOf(response);
  return response;
};

/** Offers the whole configuration as a file; instead of secrets it has references. */
export const useExport = () =>
  useMutation({
    mutationFn: async () => {
      const response = await send(`${EXPORT}?format=yaml`, { headers: CONSOLE_HEADERS });
      const url = URL.createObjectURL(await response.blob());
      const link = document.createElement('a');
      link.href = url;
      link.download = 'ai-model-hub.yaml';
      link.click();
      URL.revokeObjectURL(url);
    },
  });

export interface Importing {
  document: string;
  prune: boolean;
  /** Go on without secrets that are neither sent nor stored. */
  skipSecrets: boolean;
  /** The plan that was agreed to; null: only make one. */
  plan: string | null;
}

const importOf = async ({ document, prune, skipSecrets, plan }: Importing): Promise<Plan> => {
  const query = new URLSearchParams({
    dry_run: String(plan === null),
    prune: String(prune),
    on_missing_secret: skipSecrets ? 'skip' : 'refuse',
    ...(plan !== null && { plan }),
  });
  const response = await send(`${IMPORT}?${query}`, {
    method: 'POST',
    headers: { ...CONSOLE_HEADERS, 'content-type': 'application/yaml' },
    body: document,
  });
  return (await response.json()) as Plan;
};

/** What an import would do or, with the digest of such a plan, the import itself: that very plan, or nothing. */
export const useImport = () => {
  const queries = useQueryClient();
  return useMutation({
    gcTime: 0,
    mutationFn: importOf,
    onSuccess: (plan) => (plan.dry_run ? undefined : queries.invalidateQueries()),
  });
};
