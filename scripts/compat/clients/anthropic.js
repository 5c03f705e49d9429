import Anthropic, { AuthenticationError, NotFoundError } from '@anthropic-ai/sdk';
import * as ask from '../features.js';

const TOOLS = [{ name: ask.TOOL.name, description: ask.TOOL.description, input_schema: ask.TOOL.parameters }];

const clientOf = ({ url, token }) => new Anthropic({ baseURL: url, apiKey: token, maxRetries: 0 });
const request = ({ alias }, content, fields) => ({
  model: alias,
  max_tokens: ask.MAX_TOKENS,
  messages: [{ role: 'user', content }],
  ...fields,
});
const textIn = ({ content }) => content.map((block) => (block.type === 'text' ? block.text : '')).join('');
const callIn = ({ content }) => content.find(({ type }) => type === 'tool_use');

/** Anthropic's client. It knows no embeddings. */
export default {
  name: '@anthropic-ai/sdk',
  features: {
    chat: async (target) => {
      const answer = await clientOf(target).messages.create(request(target, ask.QUESTIONS.chat));
      ask.checkText(textIn(answer));
      ask.checkUsage(answer.usage.input_tokens, answer.usage.output_tokens);
    },
    stream: async (target) => {
      const pieces = [];
      const stream = clientOf(target).messages.stream(request(target, ask.QUESTIONS.chat));
      stream.on('text', (text) => pieces.push(text));
      const { usage } = await stream.finalMessage();
      ask.checkPieces(pieces);
      ask.checkUsage(usage.input_tokens, usage.output_tokens);
    },
    tools: async (target) => {
      const asked = request(target, ask.QUESTIONS.tools, { tools: TOOLS });
      ask.checkCall(callIn(await clientOf(target).messages.create(asked)));
    },
    'streamed tools': async (target) => {
      const asked = request(target, ask.QUESTIONS.tools, { tools: TOOLS });
      ask.checkCall(callIn(await clientOf(target).messages.stream(asked).finalMessage()));
    },
    'tool results': async (target) => {
      const client = clientOf(target);
      const asked = request(target, ask.QUESTIONS.tools, { tools: TOOLS });
      const { content } = await client.messages.create(asked);
      const call = callIn({ content });
      ask.checkCall(call);
      const result = { type: 'tool_result', tool_use_id: call.id, content: ask.TOOL.result };
      const turns = [
        { role: 'assistant', content },
        { role: 'user', content: [result] },
      ];
      ask.checkText(textIn(await client.messages.create({ ...asked, messages: [...asked.messages, ...turns] })));
    },
    vision: async (target) => {
      const content = [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: ask.PIXEL } },
        { type: 'text', text: ask.QUESTIONS.vision },
      ];
      ask.checkText(textIn(await clientOf(target).messages.create(request(target, content))));
    },
    'JSON schema': async (target) => {
      const config = { output_config: { format: { type: 'json_schema', schema: ask.PERSON } } };
      const answer = await clientOf(target).messages.create(request(target, ask.QUESTIONS.schema, config));
      ask.checkPerson(textIn(answer));
    },
    errors: async (target) => {
      const unknown = request({ alias: ask.NOBODY }, ask.QUESTIONS.chat);
      await ask.checkFailure(() => clientOf(target).messages.create(unknown), 404, NotFoundError);
      const stranger = clientOf({ ...target, token: ask.WRONG_TOKEN });
      const refused = () => stranger.messages.create(request(target, ask.QUESTIONS.chat));
      await ask.checkFailure(refused, 401, AuthenticationError);
    },
  },
};
