import OpenAI, { AuthenticationError, NotFoundError } from 'openai';
import * as ask from '../features.js';

const TOOLS = [
  {
    type: 'function',
    name: ask.TOOL.name,
    description: ask.TOOL.description,
    parameters: ask.TOOL.parameters,
    strict: false,
  },
];
const TEXT = { format: { type: 'json_schema', name: 'person', schema: ask.PERSON, strict: true } };

const clientOf = ({ url, token }) => new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
const request = ({ alias }, input, fields) => ({
  model: alias,
  input,
  max_output_tokens: ask.MAX_TOKENS,
  store: false,
  ...fields,
});
const callIn = ({ output }) => {
  const call = output.find(({ type }) => type === 'function_call');
  return call && { id: call.call_id, name: call.name, input: call.arguments };
};

/** OpenAI's client, Responses. */
export default {
  name: 'openai (responses)',
  features: {
    chat: async (target) => {
      const answer = await clientOf(target).responses.create(request(target, ask.QUESTIONS.chat));
      ask.checkText(answer.output_text);
      ask.checkUsage(answer.usage?.input_tokens, answer.usage?.output_tokens);
    },
    stream: async (target) => {
      const pieces = [];
      let usage;
      const stream = await clientOf(target).responses.create({
        model: target.alias,
        input: ask.QUESTIONS.chat,
        max_output_tokens: ask.MAX_TOKENS,
        store: false,
        stream: true,
      });
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') pieces.push(event.delta);
        if (event.type === 'response.completed') ({ usage } = event.response);
      }
      ask.checkPieces(pieces);
      ask.checkUsage(usage?.input_tokens, usage?.output_tokens);
    },
    tools: async (target) => {
      const asked = request(target, ask.QUESTIONS.tools, { tools: TOOLS });
      ask.checkCall(callIn(await clientOf(target).responses.create(asked)));
    },
    'streamed tools': async (target) => {
      const asked = request(target, ask.QUESTIONS.tools, { tools: TOOLS });
      ask.checkCall(callIn(await clientOf(target).responses.stream(asked).finalResponse()));
    },
    'tool results': async (target) => {
      const client = clientOf(target);
      const input = [{ role: 'user', content: ask.QUESTIONS.tools }];
      const first = await client.responses.create(request(target, input, { tools: TOOLS }));
      const call = callIn(first);
      ask.checkCall(call);
      const result = { type: 'function_call_output', call_id: call.id, output: ask.TOOL.result };
      const asked = request(target, [...input, ...first.output, result], { tools: TOOLS });
      ask.checkText((await client.responses.create(asked)).output_text);
    },
    vision: async (target) => {
      const content = [
        { type: 'input_text', text: ask.QUESTIONS.vision },
        { type: 'input_image', image_url: `data:image/png;base64,${ask.PIXEL}`, detail: 'auto' },
      ];
      const answer = await clientOf(target).responses.create(request(target, [{ role: 'user', content }]));
      ask.checkText(answer.output_text);
    },
    'JSON schema': async (target) => {
      const answer = await clientOf(target).responses.create(request(target, ask.QUESTIONS.schema, { text: TEXT }));
      ask.checkPerson(answer.output_text);
    },
    errors: async (target) => {
      const unknown = { ...target, alias: ask.NOBODY };
      await ask.checkFailure(
        () => clientOf(target).responses.create(request(unknown, ask.QUESTIONS.chat)),
        404,
        NotFoundError,
      );
      const stranger = clientOf({ ...target, token: ask.WRONG_TOKEN });
      const refused = () => stranger.responses.create(request(target, ask.QUESTIONS.chat));
      await ask.checkFailure(refused, 401, AuthenticationError);
    },
  },
};
