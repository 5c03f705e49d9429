import { bodyOf, type IncomingCall } from '../calls/incoming-call.js';
import { readPromptRequest } from '../calls/prompt-request.js';

interface Translated {
  alias: string;
  stream: boolean;
  /** OpenAI's chat request. */
  parameters: Readonly<Record<string, unknown>>;
  /** The caller's `prompt_template`, as he sent it. */
  promptTemplate: unknown;
  ignored: Iterable<string>;
}

/** A header is no place for more names. */
const MOST_IGNORED = 20;

/** The call of a caller who speaks otherwise than OpenAI's chat. */
export const translatedCall = ({ alias, stream, parameters, promptTemplate, ignored }: Translated): IncomingCall => ({
  operation: 'chat',
  alias,
  ...bodyOf(parameters),
  parameters,
  stream,
  isTranslated: true,
  // The last events of a stream tell the usage, whether it was asked for or not.
  wantsUsage: true,
  prompt: readPromptRequest(promptTemplate),
  ignored: [...ignored].slice(0, MOST_IGNORED),
});
