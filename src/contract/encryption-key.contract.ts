import { AnswerField, BooleanField, IntegerField, TextField } from './fields.js';

const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const KEY_ID_FORM = '1 to 32 of the characters A-Z a-z 0-9 _ -';
export const isEncryptionKeyId = (value: unknown): value is string => typeof value === 'string' && KEY_ID.test(value);
/** What a key id has to be, in words. */
export const ENCRYPTION_KEY_ID_PROBLEM = `must be ${KEY_ID_FORM}`;

const rowsByTable = { type: 'object', additionalProperties: { type: 'integer' } } as const;

/** A key of the ring, or one that rows are sealed under. Never key material. */
export class EncryptionKeyView {
  @AnswerField({ type: 'string' }) id: string;
  @AnswerField({ type: 'boolean', description: 'Seals what is written; the others only open' }) active: boolean;
  @AnswerField({ type: 'boolean', description: 'False: rows are sealed under it, and this process lacks it' })
  in_ring: boolean;
  @AnswerField({ ...rowsByTable, description: 'Rows with a secret sealed under it, by table' })
  rows: Record<string, number>;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true, description: 'When it was first seen in a ring' })
  created_at: string | null;
}

export const KEY_RING_SOURCES = ['file', 'environment'] as const;

/** Where the key ring of the process that answers comes from. */
export class KeyRingSource {
  @AnswerField({ enum: [...KEY_RING_SOURCES] }) kind: (typeof KEY_RING_SOURCES)[number];
  @AnswerField({ type: 'string', nullable: true, description: 'Name of the file, without its directory' })
  file: string | null;
  @AnswerField({ type: 'boolean', description: 'Whether this process may change it' }) writable: boolean;
  @AnswerField({ type: 'string', nullable: true, description: 'Why the file as it is now is not used; null: it is' })
  problem: string | null;
}

/** A process of the storage service that lives, and the keys it knows. */
export class StorageProcessView {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string', format: 'date-time' }) started_at: string;
  @AnswerField({ type: 'string', format: 'date-time', description: 'Every two seconds; gone after 30' })
  seen_at: string;
  @AnswerField({ type: 'boolean', description: 'The one that answers' }) is_this_one: boolean;
  @AnswerField({ type: 'string', isArray: true }) key_ids: string[];
  @AnswerField({ type: 'string' }) active_key_id: string;
}

/** Answer of `GET /api/v1/encryption-keys`. */
export class EncryptionKeyStatus {
  @AnswerField({ type: 'string' }) active_key_id: string;
  @AnswerField({ type: KeyRingSource }) source: KeyRingSource;
  @AnswerField({ type: [EncryptionKeyView], description: 'As the ring has them, then those that it lacks' })
  keys: EncryptionKeyView[];
  @AnswerField({ ...rowsByTable, description: 'Rows whose sealed text is of no known format, by table' })
  unrecognised_rows: Record<string, number>;
  @AnswerField({ type: [StorageProcessView] }) processes: StorageProcessView[];
}

/** Answer of `POST /api/v1/encryption-keys` and `PUT …/active`. */
export class EncryptionKeyState {
  @AnswerField({ type: 'string' }) id: string;
  @AnswerField({ type: 'boolean' }) active: boolean;
}

/** Body of `PUT /api/v1/encryption-keys/active`. */
export class EncryptionKeyActivation {
  @TextField({ required: true, max: 32, pattern: KEY_ID, form: KEY_ID_FORM })
  key_id: string;
}

/** Body of `POST /api/v1/encryption-keys/rewrap`. */
export class RewrapRequest {
  @IntegerField({ min: 1, max: 1000, default: 100, description: 'Rows of this batch, at most' })
  limit?: number;

  @BooleanField({ default: false, description: 'Tells what a batch would do, and changes nothing' })
  dry_run?: boolean;
}

/** One batch; when `remaining` is 0 there is nothing more to do. */
export class RewrapResult {
  @AnswerField({ type: 'boolean' }) dry_run: boolean;
  @AnswerField({ type: 'string' }) active_key_id: string;
  @AnswerField({ type: 'integer', description: 'Rows sealed under the active key now' }) rewrapped: number;
  @AnswerField({ type: 'integer', description: 'Rows that are left to do' }) remaining: number;
  @AnswerField({ type: 'string', isArray: true, description: 'Ids of rows that do not open, the first 20' })
  unreadable: string[];
  @AnswerField({ type: 'integer', description: 'Rows that do not open, of those looked at: left as they are' })
  unreadable_total: number;
}

/** Answer of `DELETE /api/v1/encryption-keys/{id}`. */
export class RemovedEncryptionKey {
  @AnswerField({ type: 'string' }) id: string;
  @AnswerField({ type: 'string', description: 'What this key is still needed for' }) notice: string;
}
