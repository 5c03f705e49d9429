import { DeliveryError, type OpenChannel } from '../channel-sender.js';
import { refused, wordsOf, type ReceiverAnswer } from './post-message.js';

/** Where a chat's robot says how it went, since its status is 200 even when it refuses. */
export interface AnswerCode {
  /** The field that is 0 when the message was taken, and the one with the reason. */
  code: string;
  reason: string;
  /** Codes that say "too many", with the seconds until there is room again. */
  waits: Readonly<Record<number, number>>;
}

/** Passes if the robot took the message; throws a DeliveryError. */
export const expectTaken = (
  channel: OpenChannel,
  answer: ReceiverAnswer,
  { code, reason, waits }: AnswerCode,
): void => {
  if (answer.status < 200 || answer.status > 299) throw refused(channel, answer);
  const said = parse(answer.text);
  if (said === null)
    throw new DeliveryError(`The receiver's answer is not that of a robot: ${wordsOf(answer.text, channel)}`);
  const given = said[code];
  if (given === 0) return;
  const words = typeof said[reason] === 'string' ? wordsOf(said[reason], channel) : '';
  const wait = typeof given === 'number' ? (waits[given] ?? null) : null;
  throw new DeliveryError(
    `The receiver refused the message (${code} ${wordsOf(JSON.stringify(given ?? null), channel)})${words ? `: ${words}` : '.'}`,
    wait ?? answer.retryAfterSeconds,
  );
};

const parse = (text: string): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
};
