import OpenAI, { AuthenticationError, NotFoundError } from 'openai';
import * as ask from '../features.js';

const TOOLS = [
  {
    type: 'function',
    function: { name: ask.TOOL.name, description: ask.TOOL.description, parameters: ask.TOOL.parameters },
  },
];
const FORMAT = { type: 'json_schema', json_schema: { name: 'person', schema: ask.PERSON, strict: true } };

const clientOf = ({ url, token }) => new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
const say = (content) => [{ role: 'user', content }];
const withLimit = (fields) => ({ max_completion_tokens: ask.MAX_TOKENS, ...fields });
const toCall = (call) => call && { id: call.id, name: call.function.name, input: call.function.arguments };

const embed = (target, format) =>
  clientOf(target).embeddings.create({
    model: target.embeddingAlias,
    input: ask.QUESTIONS.embeddings,
    ...(format && { encoding_format: format }),
  });
const vectorsOf = ({ data }) => data.map(({ embedding }) => embedding);

/** OpenAI's client, chat completions. */
export default {
  name: 'openai (chat)',
  features: {
    chat: async (target) => {
      const messages = say(ask.QUESTIONS.chat);
      const answer = await clientOf(target).chat.completions.create(withLimit({ model: target.alias, messages }));
      ask.checkText(answer.choices[0].message.content);
      ask.checkUsage(answer.usage.prompt_tokens, answer.usage.completion_tokens);
    },
    stream: async (target) => {
      const stream = await clientOf(target).chat.completions.create({
        model: target.alias,
        messages: [{ role: 'user', content: ask.QUESTIONS.chat }],
        max_completion_tokens: ask.MAX_TOKENS,
        stream: true,
        stream_options: { include_usage: true },
      });
      const pieces = [];
      let usage;
      for await (const chunk of stream) {
        pieces.push(chunk.choices[0]?.delta.content ?? '');
        usage = chunk.usage ?? usage;
      }
      ask.checkPieces(pieces);
      ask.checkUsage(usage?.prompt_tokens, usage?.completion_tokens);
    },
    tools: async (target) => {
      const request = withLimit({ model: target.alias, messages: say(ask.QUESTIONS.tools), tools: TOOLS });
      const { choices } = await clientOf(target).chat.completions.create(request);
      ask.checkCall(toCall(choices[0].message.tool_calls?.[0]));
    },
    'streamed tools': async (target) => {
      const request = withLimit({ model: target.alias, messages: say(ask.QUESTIONS.tools), tools: TOOLS });
      const { choices } = await clientOf(target).chat.completions.stream(request).finalChatCompletion();
      ask.checkCall(toCall(choices[0].message.tool_calls?.[0]));
    },
    'tool results': async (target) => {
      const client = clientOf(target);
      const request = withLimit({ model: target.alias, messages: say(ask.QUESTIONS.tools), tools: TOOLS });
      const { message } = (await client.chat.completions.create(request)).choices[0];
      const call = message.tool_calls?.[0];
      ask.checkCall(toCall(call));
      const result = { role: 'tool', tool_call_id: call.id, content: ask.TOOL.result };
      const messages = [...request.messages, message, result];
      const { choices } = await client.chat.completions.create({ ...request, messages });
      ask.checkText(choices[0].message.content);
    },
    vision: async (target) => {
      const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${ask.PIXEL}` } };
      const messages = say([{ type: 'text', text: ask.QUESTIONS.vision }, image]);
      const { choices } = await clientOf(target).chat.completions.create(withLimit({ model: target.alias, messages }));
      ask.checkText(choices[0].message.content);
    },
    'JSON schema': async (target) => {
      const request = { model: target.alias, messages: say(ask.QUESTIONS.schema), response_format: FORMAT };
      const { choices } = await clientOf(target).chat.completions.create(withLimit(request));
      ask.checkPerson(choices[0].message.content);
    },
    'embeddings (float)': async (target) => ask.checkVectors(vectorsOf(await embed(target, 'float'))),
    // The client asks for base64 when nothing is said, and decodes it.
    'embeddings (base64)': async (target) =>
      ask.checkSameVectors(vectorsOf(await embed(target, 'float')), vectorsOf(await embed(target))),
    models: async (target) => {
      const ids = (await clientOf(target).models.list()).data.map(({ id }) => id);
      if (!ids.includes(target.alias)) throw new Error(`${target.alias} is not listed`);
      await clientOf(target).models.retrieve(target.alias);
    },
    errors: async (target) => {
      const messages = say(ask.QUESTIONS.chat);
      const unknown = () => clientOf(target).chat.completions.create({ model: ask.NOBODY, messages });
      await ask.checkFailure(unknown, 404, NotFoundError);
      const stranger = clientOf({ ...target, token: ask.WRONG_TOKEN });
      const refused = () => stranger.chat.completions.create({ model: target.alias, messages });
      await ask.checkFailure(refused, 401, AuthenticationError);
    },
  },
};
