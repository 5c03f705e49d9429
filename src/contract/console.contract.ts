import { AnswerField, TextField } from './fields.js';

export const CONSOLE_PATH = 'console';
export const CONSOLE_SESSION_PATH = `${CONSOLE_PATH}/session`;

/** Body of `POST /console/session`: one of the two. */
export class ConsoleSignIn {
  @TextField({ max: 512, writeOnly: true, description: 'An API token: what it may do the session may' })
  token?: string;

  @TextField({ max: 128, writeOnly: true, description: 'The code of the link that the first start prints; good once' })
  code?: string;
}

/** Who is signed in. */
export class ConsoleSession {
  @AnswerField({ type: 'string' }) token_id: string;
  @AnswerField({ type: [String] }) scopes: string[];
}

/**
 * A session as the AI model service learns of it, so that the console can call models where the two services are apart: it opens the
 * token in a browser's cookie, and nothing without one. Source: `GET /internal/v1/sessions/{id_sha256}`.
 */
export interface InternalSession {
  /** null: there is none, or it is over. */
  session: { /** Base64. */ key: string; /** RFC 3339. */ expires_at: string } | null;
}
