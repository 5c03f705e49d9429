import type { NodemailerError } from 'nodemailer';
import { OutboundError } from '../../../platform/http/outbound/outbound-error.js';
import { DeliveryError, type OpenChannel } from '../channel-sender.js';
import { sayMailRefusal } from '../mail-server.js';
import { wordsOf } from './post-message.js';

/** What became of a mail that was not sent, for people. Texts of the library may hold what was sent; only the server's words are told. */
export const mailFailure = (error: unknown, channel: OpenChannel, origin: string): DeliveryError => {
  if (error instanceof DeliveryError) return error;
  if (error instanceof OutboundError) {
    const { refusal, message } = error;
    return new DeliveryError(refusal ? sayMailRefusal(refusal.reason, origin) : message);
  }
  const failure = (error ?? {}) as Partial<NodemailerError>;
  return new DeliveryError(sayWhat(failure) + sayAnswer(failure, channel));
};

const sayWhat = ({ code, originalCode, response, timeoutType }: Partial<NodemailerError>): string => {
  if (code === 'EAUTH' || code === 'ENOAUTH') {
    return response
      ? 'The mail server refused user and password'
      : 'The mail server offers no way to log in that is supported';
  }
  if (code === 'ETLS')
    return `The connection could not be encrypted${sayCode(originalCode)}${certificateAdvice(originalCode)}`;
  if (code === 'ESOCKET' && isCertificate(originalCode)) {
    return `The certificate of the mail server is not trusted${sayCode(originalCode)}${certificateAdvice(originalCode)}`;
  }
  if (timeoutType || code === 'ETIMEDOUT') return 'The mail server did not answer in time';
  if (code === 'EENVELOPE') return 'The mail server refused the sender, or every recipient';
  return response
    ? 'The mail server refused the message'
    : `The connection to the mail server broke${sayCode(originalCode)}`;
};

const sayCode = (code: string | undefined): string => (code && /^[A-Z][A-Z0-9_]*$/.test(code) ? ` (${code})` : '');

const isCertificate = (code: string | undefined): boolean => /CERT|SIGNATURE|ISSUER|ALTNAME/.test(code ?? '');

/** Of a certificate that is good, but of an authority that is not known here. */
const isUnknownAuthority = (code: string | undefined): boolean => /SELF_SIGNED|ISSUER|LEAF_SIGNATURE/.test(code ?? '');

const certificateAdvice = (code: string | undefined): string =>
  isUnknownAuthority(code) ? '; one of your own authority is trusted when NODE_EXTRA_CA_CERTS names its file' : '';

const sayAnswer = ({ response }: Partial<NodemailerError>, channel: OpenChannel): string =>
  response ? `: ${wordsOf(response, channel)}` : '.';
