import createClient from 'openapi-fetch';
import { ApiFailure, failureOf } from './failure';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

/** A page of another origin cannot send it: without it the session's cookie opens nothing. */
export const CONSOLE_HEADERS = { 'x-hub-console': '1' } as const;

const send = async (request: Request): Promise<Response> => {
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new ApiFailure(0, 'unreachable', 'The hub cannot be reached.');
  }
  if (!response.ok && response.status !== 304) throw await failureOf(response);
  return response;
};

/** The public API, as its OpenAPI document describes it. Every answer that is no success is thrown as an ApiFailure. */
export const api = createClient<paths>({ baseUrl: location.origin, headers: CONSOLE_HEADERS, fetch: send });

/** The body of an answer. */
export const bodyOf = async <Body>(answer: Promise<{ data?: Body }>): Promise<Body> => (await answer).data as Body;
