import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateIf } from 'class-validator';
import { isPlainObject, satisfies } from './fields.js';

const KEY_FORM = /^[\x21-\x7e]{8,512}$/;
const MASK = /\*{3}|•{2}|…|^[*•.xX]+$|^.{0,8}\.{3}.{0,8}$/;

/** Headers a config may add to its provider's requests; everything that steers the connection stays out. */
const HEADER_NAME =
  /^(?!x-forwarded-|x-real-ip$)(?:authorization|api-key|http-referer|(?:x|openai|anthropic|cf|helicone)-[a-z0-9-]{1,60})$/i;
/** Whether a config may add this header. */
export const isAllowedHeader = (name: string): boolean => HEADER_NAME.test(name);

const HEADER_VALUE = /^[\x20-\x7e]{1,2000}$/;
const MAX_HEADERS = 20;

const looksMasked = (value: unknown): boolean => typeof value === 'string' && MASK.test(value);

const maskedMessage = 'looks like a masked value; send the real one, or leave the field out to keep what is stored';

const apiKeyProblem = (value: unknown): string | null =>
  typeof value === 'string' && KEY_FORM.test(value)
    ? null
    : 'must be 8 to 512 printable ASCII characters without spaces, or null to clear it';

const headersProblem = (value: unknown): string | null => {
  if (!isPlainObject(value)) return 'must be an object of header names and values, or null to clear it';
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > MAX_HEADERS) return `must have 1 to ${MAX_HEADERS} headers`;
  if (entries.some(([name]) => !HEADER_NAME.test(name))) {
    return 'has a header name that is not allowed: use authorization, api-key, http-referer, or one that starts with x-, openai-, anthropic-, cf- or helicone-';
  }
  return entries.every(([, text]) => typeof text === 'string' && HEADER_VALUE.test(text))
    ? null
    : 'has a header value that is not 1 to 2000 printable ASCII characters';
};

const MASKED = { context: { code: 'masked_api_key' } };

/** A provider's key: write-only, `null` clears it; a masked one is refused as `masked_api_key`. */
export const ApiKeyField = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      type: 'string',
      nullable: true,
      required: false,
      writeOnly: true,
      minLength: 8,
      maxLength: 512,
      description: "The provider's key. Write-only: stored encrypted, never part of an answer.",
    }),
    ValidateIf((_object, value) => value !== undefined && value !== null),
    satisfies('notMasked', (value) => (looksMasked(value) ? maskedMessage : null), MASKED),
    satisfies('apiKey', apiKeyProblem),
  );

const AUTH_HEADERS_SCHEMA: object = {
  type: 'object',
  additionalProperties: { type: 'string' },
  nullable: true,
  required: false,
  writeOnly: true,
  description: 'Extra headers for the provider. Write-only: stored encrypted, reads show `auth_header_names`.',
};

/** Extra request headers with secrets in them: write-only, `null` clears them. */
export const AuthHeadersField = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty(AUTH_HEADERS_SCHEMA),
    ValidateIf((_object, value) => value !== undefined && value !== null),
    satisfies(
      'notMasked',
      (value) => (isPlainObject(value) && Object.values(value).some(looksMasked) ? maskedMessage : null),
      MASKED,
    ),
    satisfies('authHeaders', headersProblem),
  );

const MAX_CHANNEL_URL = 2000;
const CHANNEL_SECRET = /^[^\p{Cc}\p{Cs}]{1,512}$/u;

/** Where a channel's messages go, which is as good as a password: write-only. What it may be is judged by the service. */
export const ChannelUrlField = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      type: 'string',
      nullable: true,
      required: false,
      writeOnly: true,
      maxLength: MAX_CHANNEL_URL,
      description:
        "Of every kind but email: the address of the webhook or of the chat's robot. Write-only: stored encrypted, reads show `url_origin`.",
    }),
    ValidateIf((_object, value) => value !== undefined && value !== null),
    satisfies('notMasked', (value) => (looksMasked(value) ? maskedMessage : null), MASKED),
    satisfies('channelUrl', (value) =>
      typeof value === 'string' && value.length > 0 && value.length <= MAX_CHANNEL_URL
        ? null
        : `must be an address of at most ${MAX_CHANNEL_URL} characters`,
    ),
  );

/** What a channel's messages are signed with, or its password: write-only, `null` clears it. */
export const ChannelSecretField = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      type: 'string',
      nullable: true,
      required: false,
      writeOnly: true,
      maxLength: 512,
      description:
        'What messages are signed with (webhook, feishu, dingtalk; a webhook without one gets unsigned messages), or the password for the mail server (email). Write-only: stored encrypted, reads show `has_secret`.',
    }),
    ValidateIf((_object, value) => value !== undefined && value !== null),
    satisfies('notMasked', (value) => (looksMasked(value) ? maskedMessage : null), MASKED),
    satisfies('channelSecret', (value) =>
      typeof value === 'string' && CHANNEL_SECRET.test(value)
        ? null
        : 'must be 1 to 512 characters without control characters, or null to clear it',
    ),
  );
