import { readBounded } from '../../../platform/http/outbound/read-bounded.js';
import { OutboundError } from '../../../platform/http/outbound/outbound-error.js';
import type { OutboundResponse, OutboundResponseHeaders } from '../../../platform/http/outbound/outbound-exchange.js';
import { scrubKnown } from '../../../platform/logging/scrub.js';
import { DeliveryError, type OpenChannel, type SendContext } from '../channel-sender.js';

/** What a receiver answered. */
export interface ReceiverAnswer {
  status: number;
  /** At most 16 KB of it; '' when there was more, or when it cannot be read. */
  text: string;
  /** null: nothing was asked for. */
  retryAfterSeconds: number | null;
}

interface Posted {
  /** The channel's, unless told. */
  url?: URL;
  headers: Readonly<Record<string, string>>;
  body: string;
}

const MAX_ANSWER_BYTES = 16 * 1024;
const MAX_WORDS = 300;

/**
 * Posts JSON to the receiver of a channel; redirects are not followed. Settles with whatever was answered, good or bad;
 * throws a DeliveryError when there was no answer.
 */
export const postMessage = async (
  channel: OpenChannel,
  { url, headers, body }: Posted,
  context: SendContext,
): Promise<ReceiverAnswer> => {
  try {
    const response = await context.client.request({
      url: url ?? new URL(channel.url ?? ''),
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'ai-model-hub', ...headers },
      body,
      signal: context.signal,
    });
    const text = await textOf(response);
    return { status: response.status, text, retryAfterSeconds: retryAfterOf(response.headers, context.now()) };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    // What is written there cannot be read; that it was taken, or was not, can.
    if (error.kind === 'encoded' && error.status) return { status: error.status, text: '', retryAfterSeconds: null };
    throw new DeliveryError(sayFailure(error));
  }
};

/** The status is the answer: a body that is too long, or breaks off, changes nothing. */
const textOf = async (response: OutboundResponse): Promise<string> => {
  try {
    return (await readBounded(response, MAX_ANSWER_BYTES)).toString('utf8');
  } catch {
    return '';
  }
};

/** Seconds, or a date. */
const retryAfterOf = (headers: OutboundResponseHeaders, now: Date): number | null => {
  const text = [headers['retry-after']].flat()[0]?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  // Without the name of a month, Date.parse makes a date of nearly anything.
  const date = /[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now.getTime()) / 1000));
};

const sayFailure = (error: OutboundError): string =>
  error.kind === 'redirect' ? `${error.message} Give the address it leads to.` : error.message;

/** What the receiver said, for people: short, on one line, and without what only the two of them may know. */
export const wordsOf = (text: string, channel: OpenChannel): string => {
  const secrets = [channel.url, channel.secret].filter((secret) => secret !== null);
  return scrubKnown(text, secrets)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MAX_WORDS);
};

/** The error for an answer that says no. */
export const refused = (channel: OpenChannel, { status, text, retryAfterSeconds }: ReceiverAnswer): DeliveryError => {
  const words = wordsOf(text, channel);
  return new DeliveryError(`The receiver answered ${status}${words ? `: ${words}` : '.'}`, retryAfterSeconds);
};
