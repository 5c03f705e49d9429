import { compileBodySchema } from '../../../platform/http/body-schema.js';
import { parseJsonObject } from '../../../platform/http/json-body.js';
import type { Dialect } from '../../calls/dialect.js';
import { refuseField, refuseForbidden, scanBody, type IncomingCall } from '../../calls/incoming-call.js';
import { converted } from '../../providers/embedding-format.js';
import { EMBEDDINGS_SCHEMA } from './embeddings.schema.js';

const check = compileBodySchema(EMBEDDINGS_SCHEMA);

/** OpenAI takes 300 000 tokens at once; numbers cost a tenth of what other values do. */
const LIMITS = { maxValues: 400_000 };

/** Checks what every provider would refuse, and what no caller may set; everything else is the provider's to judge. */
const read = (body: Buffer | undefined): IncomingCall => {
  if (!body?.length) throw refuseField('input', 'Send a JSON object with model and input.');
  const parameters = parseJsonObject(body, LIMITS);
  const topLevel = scanBody(body);
  check(parameters);
  refuseForbidden(parameters);
  if (Object.hasOwn(parameters, 'prompt_template'))
    throw refuseField('prompt_template', 'prompt_template is for chat: vectors are made of the input alone.');
  return {
    operation: 'embeddings',
    alias: parameters['model'] as string,
    body,
    topLevel,
    parameters,
    stream: false,
    isTranslated: false,
    wantsUsage: false,
    prompt: null,
    ignored: [],
  };
};

/** OpenAI's embeddings: handed on as they are, unless the provider answered in another format than was asked for. */
export const EMBEDDINGS_DIALECT: Dialect = {
  read,
  whole: (answer, parsed, { parameters }) => {
    const other = converted(parsed, parameters);
    return other ? Buffer.from(JSON.stringify(other)) : answer.body;
  },
  stream: () => null,
};
