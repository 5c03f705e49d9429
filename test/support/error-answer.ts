import { ERROR_CODES } from '../../src/contract/error-codes.js';

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

type Body = Record<string, unknown>;

/** As Anthropic has it: before all else. */
const hasAnthropicShape = (path: string): boolean => /^\/v1\/messages(?:[/?]|$)/.test(path);

/** As product.md says it: written out here, so that the rule in src is tested and not repeated. */
const hasOpenAiShape = (path: string): boolean => /^\/(?:v1|api\/v1\/(?:chat|models|status))(?:[/?]|$)/.test(path);

const parse = (text: string): Body | null => {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return null;
  }
};

const isText = (value: unknown): boolean => typeof value === 'string' && value.length > 0;

const isField = (entry: unknown): boolean => {
  const { field, message } = (entry ?? {}) as Body;
  return typeof field === 'string' && isText(message);
};

const openAiProblem = (body: Body, answer: Answer): string | null => {
  const error = (body['error'] ?? {}) as Body;
  if (!String(answer.headers['content-type']).startsWith('application/json')) return 'is not application/json';
  if (Object.keys(body).join() !== 'error') return 'has more than error';
  if (Object.keys(error).sort().join() !== 'code,message,param,type') return 'is not {message, type, param, code}';
  return isText(error['message']) && isText(error['type']) ? null : 'has no message or type';
};

const anthropicProblem = (body: Body, answer: Answer): string | null => {
  const error = (body['error'] ?? {}) as Body;
  if (!String(answer.headers['content-type']).startsWith('application/json')) return 'is not application/json';
  if (Object.keys(body).sort().join() !== 'error,request_id,type') return 'is not {type, error, request_id}';
  if (body['type'] !== 'error') return 'is of another type than error';
  if (body['request_id'] !== answer.headers['x-request-id']) return 'has another request_id than the header';
  if (answer.headers['request-id'] !== answer.headers['x-request-id'])
    return 'has another request-id than x-request-id';
  const { error_code: code } = (error['details'] ?? {}) as Body;
  if (code !== error['code']) return 'has another code in its details';
  return isText(error['message']) && /^[a-z_]+(?:_error|_too_large)$/.test(String(error['type']))
    ? null
    : 'has no message or type';
};

const rfcProblem = (body: Body, answer: Answer): string | null => {
  if (!String(answer.headers['content-type']).startsWith('application/problem+json')) return 'is not problem+json';
  const missing = ['type', 'title', 'detail', 'instance', 'code', 'request_id'].filter((name) => !isText(body[name]));
  if (missing.length > 0) return `lacks ${missing.join(', ')}`;
  if (body['status'] !== answer.status) return 'has another status than the answer';
  if (body['request_id'] !== answer.headers['x-request-id']) return 'has another request_id than the header';
  const { errors } = body;
  const isList = errors === undefined || (Array.isArray(errors) && errors.length > 0 && errors.every(isField));
  return isList ? null : 'has errors that are no list of {field, message}';
};

/** The code of an error answer. */
export const codeOf = (answer: Answer): string | undefined => {
  const body = parse(answer.text) ?? {};
  return ((body['error'] as Body | undefined)?.['code'] ?? body['code']) as string | undefined;
};

/** Says what is wrong with the shape of an error answer at this path, or null. */
export const shapeProblem = (path: string, answer: Answer): string | null => {
  const body = parse(answer.text);
  if (!body) return `is not JSON: ${answer.text.slice(0, 100)}`;
  const problemOf = hasAnthropicShape(path) ? anthropicProblem : hasOpenAiShape(path) ? openAiProblem : rfcProblem;
  const problem = problemOf(body, answer);
  if (problem) return `${problem}: ${answer.text.slice(0, 300)}`;
  return (ERROR_CODES as readonly unknown[]).includes(codeOf(answer)) ? null : `has an unknown code: ${codeOf(answer)}`;
};
