import type { AlertChannelUpdate, ChannelKind } from '../../contract/alert-channel.contract.js';
import { AppError, type FieldProblem, invalidFields } from '../../platform/errors/app-error.js';
import type { OutboundPolicy, UrlForm } from '../../platform/http/outbound/outbound-policy.js';
import { type MailServer, refuseMailServer } from './mail-server.js';

/** What a channel has after a change. */
export interface CheckedChannel {
  kind: ChannelKind;
  hasUrl: boolean;
  hasSecret: boolean;
  hasSmtp: boolean;
  smtpUser: string | null;
  /** null: there is none, or it is the one that was there before. */
  newMailServer: MailServer | null;
}

/** The robots of DingTalk and WeCom have their token in the query. */
const URL_FORM: UrlForm = { mayHaveQuery: true, maxLength: 2000 };

const TAKES_SECRET: Record<ChannelKind, boolean> = {
  webhook: true,
  slack: false,
  feishu: true,
  dingtalk: true,
  wecom: false,
  email: true,
};

const WEBHOOK_SECRET_START = 'whsec_';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/;

/** What must hold between the fields of a channel; each field by itself is checked by the contract. */
export const checkChannel = (channel: CheckedChannel, change: AlertChannelUpdate, policy: OutboundPolicy): void => {
  const problems = [...urlProblems(channel), ...smtpProblems(channel), ...secretProblems(channel, change)];
  if (problems.length > 0) throw invalidFields(...problems);
  if (change.url) checkUrl(change.url, policy);
  // One that is not allowed any more is refused when a message is sent; here it must not keep the channel from being changed.
  if (channel.newMailServer) checkMailServer(channel.newMailServer, policy);
};

const urlProblems = ({ kind, hasUrl }: CheckedChannel): FieldProblem[] => {
  const isMail = kind === 'email';
  if (isMail && hasUrl) return [{ field: 'url', message: 'url must be left out: a channel of kind email has smtp' }];
  return isMail || hasUrl ? [] : [{ field: 'url', message: `url must be set for a channel of kind ${kind}` }];
};

const smtpProblems = ({ kind, hasSmtp, smtpUser, hasSecret }: CheckedChannel): FieldProblem[] => {
  if (kind !== 'email') {
    return hasSmtp ? [{ field: 'smtp', message: `smtp must be left out: a channel of kind ${kind} has url` }] : [];
  }
  if (!hasSmtp) return [{ field: 'smtp', message: 'smtp must be set for a channel of kind email' }];
  if (smtpUser !== null && !hasSecret) {
    return [{ field: 'secret', message: 'secret must be set: it is the password of smtp.user' }];
  }
  return smtpUser === null && hasSecret
    ? [{ field: 'smtp.user', message: 'smtp.user must be set: secret is its password' }]
    : [];
};

const secretProblems = ({ kind, hasSecret }: CheckedChannel, { secret }: AlertChannelUpdate): FieldProblem[] => {
  if (hasSecret && !TAKES_SECRET[kind]) {
    const message = `secret must be left out: messages of a channel of kind ${kind} are not signed`;
    return [{ field: 'secret', message }];
  }
  if (kind !== 'webhook' || !secret?.startsWith(WEBHOOK_SECRET_START)) return [];
  if (BASE64.test(secret.slice(WEBHOOK_SECRET_START.length))) return [];
  return [{ field: 'secret', message: 'secret must be base64 after whsec_, or a text that does not begin so' }];
};

const checkUrl = (url: string, policy: OutboundPolicy): void => {
  const verdict = policy.checkUrl(url, URL_FORM);
  if ('refused' in verdict) throw notAllowed('url', verdict.refused.message);
};

const checkMailServer = (server: MailServer, policy: OutboundPolicy): void => {
  const refusal = refuseMailServer(policy, server);
  if (refusal !== null) throw notAllowed('smtp.host', refusal);
};

const notAllowed = (field: string, message: string): AppError =>
  new AppError('alert_channel_address_not_allowed', { detail: message, fields: [{ field, message }] });
