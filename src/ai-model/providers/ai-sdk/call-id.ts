import { randomBytes } from 'node:crypto';

/** For a tool call that its provider gave no id. */
export const newCallId = (): string => `call_${randomBytes(12).toString('base64url')}`;
