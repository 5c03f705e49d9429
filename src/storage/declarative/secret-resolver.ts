import type { MissingSecret } from '../../contract/declarative.contract.js';
import { isPlainObject } from '../../contract/fields.js';
import { type Entry, isSealedValue, isVariableReference } from './document.js';
import type { DocumentSeal } from './sealing.js';

/** Secrets: they may be sealed, too. */
const SECRET_FIELDS = ['api_key', 'auth_headers'] as const;
/** Fields that may be a reference. Those that say where a secret goes come before the secrets. */
export const REFERABLE_FIELDS = ['api_base', 'api_version', ...SECRET_FIELDS] as const;
export type SecretField = (typeof SECRET_FIELDS)[number];
export type ReferableField = (typeof REFERABLE_FIELDS)[number];

export const isSecretField = (field: ReferableField): field is SecretField =>
  (SECRET_FIELDS as readonly string[]).includes(field);

/** What a field came to: its value, what it lacks, or what is wrong with it. */
export type Resolved =
  | { value: unknown }
  | { missing: Pick<MissingSecret, 'variable'> }
  | { problem: string; code: 'validation_failed' | 'sealed_secret_unreadable' };

/** Puts values in the place of references and sealed texts, from what the caller sent and from nowhere else. */
export class SecretResolver {
  constructor(
    private readonly variables: ReadonlyMap<string, string>,
    private readonly seal: DocumentSeal | null,
  ) {}

  /** @param allowedOrigin where the secret may be sent, when the model is as the document says */
  resolve({ fields }: Entry, field: ReferableField, allowedOrigin: string): Resolved {
    const value = fields[field];
    if (isVariableReference(value)) return this.fromVariable(value.from_env, field);
    if (isSealedValue(value) && isSecretField(field))
      return this.fromSeal(value.sealed, { alias: String(fields['alias']), field, allowedOrigin });
    return field === 'auth_headers' && isPlainObject(value) ? this.headers(value) : { value };
  }

  private fromVariable(name: string, field: ReferableField): Resolved {
    const text = this.variables.get(name);
    if (text === undefined) return { missing: { variable: name } };
    return field === 'auth_headers' ? toHeaders(text, name) : { value: text };
  }

  private fromSeal(sealed: string, place: { alias: string; field: ReferableField; allowedOrigin: string }): Resolved {
    if (!this.seal) return { missing: { variable: null } };
    const text = this.seal.open(sealed, place);
    if (text !== null) return { value: place.field === 'auth_headers' ? JSON.parse(text) : text };
    return {
      problem: `${place.field} was sealed for another alias, provider or address, or was changed; enter it anew`,
      code: 'sealed_secret_unreadable',
    };
  }

  /** Headers one by one: some of them may be references. */
  private headers(value: Record<string, unknown>): Resolved {
    const headers: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(value)) {
      const resolved = isVariableReference(text) ? this.fromVariable(text.from_env, 'api_key') : { value: text };
      if (!('value' in resolved)) return resolved;
      headers[name] = resolved.value;
    }
    return { value: headers };
  }
}

const toHeaders = (text: string, name: string): Resolved => {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return {
      problem: `auth_headers: the value of ${name} must be a JSON object of header names and values`,
      code: 'validation_failed',
    };
  }
};
