/** A field that is wrong, in the words of the API. */
export interface FieldProblem {
  field: string;
  message: string;
}

/** An answer of the API that is no success, or none at all (`status` 0: the network or the hub is away). */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: readonly FieldProblem[] = [],
    readonly requestId: string | null = null,
  ) {
    super(message);
  }
}

interface Problem {
  code?: string;
  title?: string;
  detail?: string;
  errors?: FieldProblem[];
  error?: { code?: string; message?: string };
}

/** Reads RFC 9457's shape and OpenAI's. */
export const failureOf = async (response: Response): Promise<ApiFailure> => {
  const body = (await response.json().catch(() => ({}))) as Problem;
  const message = body.error?.message ?? body.detail ?? body.title ?? response.statusText;
  const code = body.error?.code ?? body.code ?? 'unknown';
  return new ApiFailure(response.status, code, message, body.errors ?? [], response.headers.get('x-request-id'));
};
