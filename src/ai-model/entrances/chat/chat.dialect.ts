import { parseJsonObject } from '../../../platform/http/json-body.js';
import { compileBodySchema } from '../../../platform/http/body-schema.js';
import type { Dialect } from '../../calls/dialect.js';
import { refuseField, refuseForbidden, scanBody, type IncomingCall } from '../../calls/incoming-call.js';
import { readPromptRequest } from '../../calls/prompt-request.js';
import { CHAT_SCHEMA } from './chat.schema.js';

const check = compileBodySchema(CHAT_SCHEMA);

/** Checks what every provider would refuse, and what no caller may set; everything else is the provider's to judge. */
const readChat = (body: Buffer | undefined, alwaysStream: boolean): IncomingCall => {
  if (!body?.length) throw refuseField('messages', 'Send a JSON object with model and messages.');
  const parameters = parseJsonObject(body);
  const topLevel = scanBody(body);
  check(parameters);
  refuseForbidden(parameters);
  const options = (parameters['stream_options'] ?? {}) as { include_usage?: unknown };
  return {
    operation: 'chat',
    alias: parameters['model'] as string,
    body,
    topLevel,
    parameters,
    stream: alwaysStream || parameters['stream'] === true,
    isTranslated: false,
    wantsUsage: options.include_usage === true,
    prompt: readPromptRequest(parameters['prompt_template']),
    ignored: [],
  };
};

const chatDialect = (alwaysStream: boolean): Dialect => ({
  read: (body) => readChat(body, alwaysStream),
  whole: ({ body }) => body,
  stream: () => null,
});

/** OpenAI's chat completions: what goes in and out is handed on as it is. */
export const CHAT_DIALECT = chatDialect(false);
/** The same, streamed whatever the body says. */
export const STREAMED_CHAT_DIALECT = chatDialect(true);
