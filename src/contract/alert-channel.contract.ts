import { applyDecorators } from '@nestjs/common';
import { ApiProperty, IntersectionType, PartialType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsObject, ValidateIf, ValidateNested } from 'class-validator';
import { LANGUAGES, SEVERITIES, type Language, type Severity } from './alert-kinds.js';
import { ALERT_NAME_FORM, ALERT_NAME_PATTERN } from './alert-rule.contract.js';
import { AnswerField, BooleanField, ChoiceField, IntegerField, satisfies, TextField, TextListField } from './fields.js';
import { ChannelSecretField, ChannelUrlField } from './secret-fields.js';

export const CHANNEL_KINDS = ['webhook', 'slack', 'feishu', 'dingtalk', 'wecom', 'email'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** TLS from the first byte, TLS after a greeting, or none, which only a server of the own network may have. */
export const SMTP_SECURITIES = ['tls', 'starttls', 'none'] as const;
export type SmtpSecurity = (typeof SMTP_SECURITIES)[number];

export const MAX_CHANNELS = 100;
export const MAX_RECIPIENTS = 50;

const HOST_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$|^[0-9a-f:.]{2,45}$/i;
const HOST_FORM = 'the name of a host or an IP address, without a port';
const MAIL_PATTERN = /^[^\s\p{Cc}\p{Cs}@<>()[\]\\,;:"]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/iu;
const MAIL_FORM = 'an address such as ops@example.com';
const USER_PATTERN = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

/** How a channel's mail is sent. */
export class SmtpSettings {
  @TextField({ required: true, max: 253, pattern: HOST_PATTERN, form: HOST_FORM, example: 'smtp.example.com' })
  host: string;

  @IntegerField({ required: true, min: 1, max: 65_535, example: 465 })
  port: number;

  @ChoiceField(SMTP_SECURITIES, {
    required: true,
    name: 'SmtpSecurity',
    description: 'tls from the first byte (port 465), starttls (port 587), or none, for a server of the own network',
  })
  security: SmtpSecurity;

  @TextField({
    max: 200,
    pattern: USER_PATTERN,
    form: 'text without control characters',
    nullable: true,
    description: "The user at the server; the password is the channel's secret. null: the server wants neither",
  })
  user?: string | null;

  @TextField({ required: true, max: 320, pattern: MAIL_PATTERN, form: MAIL_FORM })
  from: string;

  @TextListField({ required: true, maxItems: MAX_RECIPIENTS, itemMax: 320, pattern: MAIL_PATTERN, form: MAIL_FORM })
  @satisfies('recipients', (value) =>
    Array.isArray(value) && value.length === 0 ? 'must name at least one address' : null,
  )
  to: string[];
}

const SmtpField = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      type: () => SmtpSettings,
      required: false,
      nullable: true,
      description: 'Of kind email, and of no other; always sent as a whole',
    }),
    ValidateIf((_object, value) => value !== undefined && value !== null),
    IsObject({ message: '$property must be an object' }),
    ValidateNested(),
    Type(() => SmtpSettings),
  );

class ChannelName {
  @TextField({ required: true, max: 64, pattern: ALERT_NAME_PATTERN, form: ALERT_NAME_FORM, example: 'on-call' })
  name: string;
}

class ChannelKindField {
  @ChoiceField(CHANNEL_KINDS, { required: true, name: 'ChannelKind', description: 'Cannot be changed later' })
  kind: ChannelKind;
}

class ChannelFields {
  @BooleanField({ default: true })
  is_enabled?: boolean;

  @ChoiceField(SEVERITIES, { name: 'AlertSeverity', default: 'info', description: 'What is less urgent is not sent' })
  min_severity?: Severity;

  @ChoiceField(LANGUAGES, { name: 'MessageLanguage', default: 'zh-CN', description: 'Unless a rule has its own' })
  language?: Language;

  @ChannelUrlField()
  url?: string | null;

  @ChannelSecretField()
  secret?: string | null;

  @SmtpField()
  smtp?: SmtpSettings | null;
}

/** Body of `POST /api/v1/alerts/channels`. */
export class AlertChannelCreate extends IntersectionType(ChannelName, ChannelKindField, ChannelFields) {}

/** Body of `PUT /api/v1/alerts/channels/{id}`: absent fields keep their value, `null` clears. */
export class AlertChannelUpdate extends IntersectionType(PartialType(ChannelName), ChannelFields) {}

/** How a channel's mail is sent, as it is stored. */
export class SmtpSettingsView {
  @AnswerField({ type: 'string' }) host: string;
  @AnswerField({ type: 'integer' }) port: number;
  @AnswerField({ enum: [...SMTP_SECURITIES], enumName: 'SmtpSecurity' }) security: SmtpSecurity;
  @AnswerField({ type: 'string', nullable: true }) user: string | null;
  @AnswerField({ type: 'string' }) from: string;
  @AnswerField({ type: [String] }) to: string[];
}

/** A channel; never its address, whose path is as good as a password, nor its secret. */
export class AlertChannelView {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ enum: [...CHANNEL_KINDS], enumName: 'ChannelKind' }) kind: ChannelKind;
  @AnswerField({ type: 'boolean' }) is_enabled: boolean;
  @AnswerField({ enum: [...SEVERITIES], enumName: 'AlertSeverity' }) min_severity: Severity;
  @AnswerField({ enum: [...LANGUAGES], enumName: 'MessageLanguage' }) language: Language;
  @AnswerField({ type: 'string', nullable: true, description: 'Scheme and host of the address' })
  url_origin: string | null;
  @AnswerField({ type: 'boolean', description: 'False for a webhook: its messages are not signed' })
  has_secret: boolean;
  @AnswerField({
    type: 'boolean',
    description: 'False: address or secret cannot be decrypted with the keys of this process; enter both again',
  })
  credential_readable: boolean;
  @AnswerField({ type: SmtpSettingsView, nullable: true }) smtp: SmtpSettingsView | null;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true }) last_delivered_at: string | null;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true }) last_failed_at: string | null;
  @AnswerField({ type: 'string', nullable: true, description: 'Why nothing has reached it since last_failed_at' })
  last_error: string | null;
  @AnswerField({ type: 'integer', description: 'Goes up by one with every change: the ETag' }) version: number;
  @AnswerField({ type: 'string', format: 'date-time' }) created_at: string;
  @AnswerField({ type: 'string', format: 'date-time' }) updated_at: string;
}

/** Answer of `GET /api/v1/alerts/channels`: all of them, by name. */
export class AlertChannelList {
  @AnswerField({ type: [AlertChannelView] }) channels: AlertChannelView[];
  @AnswerField({ type: 'integer' }) total: number;
}

/** Answer of `POST /api/v1/alerts/channels/{id}/test`. */
export class ChannelTestResult {
  @AnswerField({ type: 'boolean', description: 'Always true: a failure is 424 alert_channel_failed' })
  delivered: true;
  @AnswerField({ type: 'integer', description: 'Milliseconds' }) took_ms: number;
}
