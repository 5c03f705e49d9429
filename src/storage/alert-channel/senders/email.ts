import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import type { SendMailOptions, SMTPTransportOptions } from 'nodemailer';
import { openGuarded, type ResolveHost } from '../../../platform/http/outbound/guarded-connector.js';
import { abortError } from '../../../platform/http/outbound/outbound-error.js';
import {
  DeliveryError,
  type OpenChannel,
  type OpenEmail,
  type SendContext,
  type SendMessage,
} from '../channel-sender.js';
import { mailOriginOf, refuseMailServer } from '../mail-server.js';
import { messageOf } from '../messages/message-of.js';
import { mailFailure } from './mail-failure.js';
import { mailOf } from './mail.js';

const CONNECT_MILLISECONDS = 5000;
/** The signal ends an attempt sooner; this is for a server that says nothing, where there is none. */
const SILENCE_MILLISECONDS = 15_000;
const MAX_ANSWER_BYTES = 16 * 1024;

/** The socket is ours: the addresses of the server's name are judged by the policy, and exactly those are connected to. */
const connect = async (email: OpenEmail, { policy, signal }: SendContext, resolve: ResolveHost): Promise<Socket> => {
  const opening = new Set<Socket>();
  const giveUp = (): void => opening.forEach((socket) => socket.destroy(abortError(signal.reason, true)));
  signal.addEventListener('abort', giveUp);
  try {
    const settings = { policy, resolve, connectTimeoutMilliseconds: CONNECT_MILLISECONDS, opening };
    return await openGuarded(mailOriginOf(email), email, settings);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
};

const transportOptions = (email: OpenEmail, password: string | null, connection: Socket): SMTPTransportOptions => ({
  host: email.host,
  port: email.port,
  connection,
  secure: email.security === 'tls',
  requireTLS: email.security === 'starttls',
  ignoreTLS: email.security === 'none',
  tls: { rejectUnauthorized: true }, // explicit: NODE_TLS_REJECT_UNAUTHORIZED must not switch it off
  ...(email.user === null ? {} : { auth: { user: email.user, pass: password ?? '' }, forceAuth: true }),
  greetingTimeout: SILENCE_MILLISECONDS,
  socketTimeout: SILENCE_MILLISECONDS,
  socketCloseTimeout: 0,
  maxResponseSize: MAX_ANSWER_BYTES,
});

/** Answers how many of the recipients the server refused. */
const send = async (options: SMTPTransportOptions, mail: SendMailOptions, signal: AbortSignal): Promise<number> => {
  // Most hubs send no mail: a start does not load what it takes.
  const { createTransport } = await import('nodemailer');
  const { rejected } = await createTransport(options).sendMail({ ...mail, signal });
  return rejected.length;
};

const deliver = async (
  channel: OpenChannel,
  mail: SendMailOptions,
  context: SendContext,
  resolve: ResolveHost,
): Promise<number> => {
  const email = emailOf(channel);
  const refusal = refuseMailServer(context.policy, email);
  if (refusal !== null) throw new DeliveryError(refusal);
  const socket = await connect(email, context, resolve);
  try {
    return await send(transportOptions(email, channel.secret, socket), mail, context.signal);
  } finally {
    socket.destroy();
  }
};

const emailOf = ({ email }: OpenChannel): OpenEmail => {
  if (!email) throw new DeliveryError('This channel has no mail server: enter smtp.');
  return email;
};

/**
 * Mail by SMTP. TLS is verified; without TLS, or into a private network, it goes only where the operator listed `smtp://host:port` or
 * `smtps://host:port` in ALLOWED_PRIVATE_ORIGINS. It counts as taken when the server took it for one recipient: sent again, the others
 * would have it twice. A test tells of those it refused.
 */
export const emailSender =
  (resolve: ResolveHost): SendMessage =>
  async (channel, delivery, context) => {
    const { notice } = delivery;
    const email = emailOf(channel);
    const message = messageOf(notice, notice.language ?? channel.language, context.publicUrl);
    const refused = await deliver(channel, mailOf(message, delivery, email, context.now()), context, resolve).catch(
      (error: unknown) => {
        throw mailFailure(
          context.signal.aborted ? abortError(context.signal.reason, false) : error,
          channel,
          mailOriginOf(email),
        );
      },
    );
    if (refused > 0 && notice.event === 'test') {
      throw new DeliveryError(
        `The mail server refused ${refused} of ${email.to.length} recipients; the others have the mail.`,
      );
    }
  };

export const sendEmail = emailSender((hostname) => lookup(hostname, { all: true }));
