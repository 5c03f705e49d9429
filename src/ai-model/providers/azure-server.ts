import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { OperationPath, ServerKind } from './openai-server.js';

/** What people copy from Azure's pages into `api_base`: the resource, with or without the path of a call or its beginning. */
const COPIED_PATH = /\/openai(?:\/v1(?:\/.*)?|\/deployments(?:\/.*)?)?$/;

const DATED = /^\d{4}-\d{2}-\d{2}/;

/** The resource: `https://NAME.openai.azure.com`, or what a gateway has in its place. */
const rootOf = (base: string): string => {
  const url = new URL(base);
  return url.origin + url.pathname.replace(/\/+$/, '').replace(COPIED_PATH, '');
};

/**
 * With a dated `api_version` the deployment, which is `model_name`, stands in the path; without one, the path is that of
 * the v1 API, where it stands in the body. A version that is no date, such as `preview`, is one of the v1 API.
 */
const urlOf = (
  base: string,
  { model_name: deployment, api_version: version }: SnapshotModel,
  path: OperationPath,
): URL => {
  const isDated = version !== null && DATED.test(version);
  const middle = isDated ? `deployments/${encodeURIComponent(deployment)}` : 'v1';
  const url = new URL(`${rootOf(base)}/openai/${middle}/${path}`);
  if (version !== null) url.searchParams.set('api-version', version);
  return url;
};

/** Azure OpenAI, as its documentation describes it; no real account was asked. */
export const AZURE_SERVER: ServerKind = {
  keyHeader: (key) => ({ 'api-key': key }),
  urlOf,
  listBaseOf: (base) => `${rootOf(base)}/openai/v1`,
  listsOtherNames: true,
};
