import type { Stop, StopReason } from './message-events.js';

/** Why an answer ended, in OpenAI's words. */
export interface Ending {
  finishReason: unknown;
  /** vLLM's, beside the reason: the text that made it stop. */
  stopText: unknown;
}

const REASONS: Readonly<Record<string, StopReason>> = { length: 'max_tokens', content_filter: 'refusal' };

/** @param hasCalls tools are called: some servers end such an answer with `stop` */
export const toStop = (
  { finishReason, stopText }: Ending,
  { hasCalls, stops }: { hasCalls: boolean; stops: readonly string[] },
): Stop => {
  const text = typeof stopText === 'string' && stops.includes(stopText) ? stopText : null;
  const known = typeof finishReason === 'string' && Object.hasOwn(REASONS, finishReason) ? REASONS[finishReason] : null;
  const reason = known ?? (hasCalls ? 'tool_use' : text === null ? 'end_turn' : 'stop_sequence');
  return {
    stop_reason: reason,
    stop_sequence: reason === 'stop_sequence' ? text : null,
    stop_details: reason === 'refusal' ? { type: 'refusal', category: null, explanation: null } : null,
  };
};
