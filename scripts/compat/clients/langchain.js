import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import * as ask from '../features.js';

const TOOLS = [
  {
    type: 'function',
    function: { name: ask.TOOL.name, description: ask.TOOL.description, parameters: ask.TOOL.parameters },
  },
];

const settings = ({ url, token }) => ({ apiKey: token, maxRetries: 0, configuration: { baseURL: `${url}/v1` } });
const chatOf = (target) =>
  new ChatOpenAI({ ...settings(target), model: target.alias, maxTokens: ask.MAX_TOKENS, streamUsage: true });
const embed = (target, encodingFormat) =>
  new OpenAIEmbeddings({ ...settings(target), model: target.embeddingAlias, encodingFormat }).embedDocuments(
    ask.QUESTIONS.embeddings,
  );
const toCall = (call) => call && { id: call.id, name: call.name, input: call.args };

/** LangChain's ChatOpenAI and OpenAIEmbeddings. It lists no models. */
export default {
  name: 'LangChain (ChatOpenAI)',
  features: {
    chat: async (target) => {
      const { text, usage_metadata: usage } = await chatOf(target).invoke(ask.QUESTIONS.chat);
      ask.checkText(text);
      ask.checkUsage(usage?.input_tokens, usage?.output_tokens);
    },
    stream: async (target) => {
      const pieces = [];
      let whole;
      for await (const chunk of await chatOf(target).stream(ask.QUESTIONS.chat)) {
        pieces.push(chunk.text);
        whole = whole ? whole.concat(chunk) : chunk;
      }
      ask.checkPieces(pieces);
      ask.checkUsage(whole.usage_metadata?.input_tokens, whole.usage_metadata?.output_tokens);
    },
    tools: async (target) => {
      const { tool_calls: calls } = await chatOf(target).bindTools(TOOLS).invoke(ask.QUESTIONS.tools);
      ask.checkCall(toCall(calls?.[0]));
    },
    'streamed tools': async (target) => {
      let whole;
      for await (const chunk of await chatOf(target).bindTools(TOOLS).stream(ask.QUESTIONS.tools)) {
        whole = whole ? whole.concat(chunk) : chunk;
      }
      ask.checkCall(toCall(whole?.tool_calls?.[0]));
    },
    'tool results': async (target) => {
      const chat = chatOf(target).bindTools(TOOLS);
      const question = new HumanMessage(ask.QUESTIONS.tools);
      const asked = await chat.invoke([question]);
      const [call] = asked.tool_calls ?? [];
      ask.checkCall(toCall(call));
      const turn = new AIMessage({ content: asked.content, tool_calls: asked.tool_calls });
      const result = new ToolMessage({ tool_call_id: call.id, content: ask.TOOL.result });
      ask.checkText((await chat.invoke([question, turn, result])).text);
    },
    vision: async (target) => {
      const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${ask.PIXEL}` } };
      const message = new HumanMessage({ content: [{ type: 'text', text: ask.QUESTIONS.vision }, image] });
      ask.checkText((await chatOf(target).invoke([message])).text);
    },
    'JSON schema': async (target) => {
      const options = { name: 'person', method: 'jsonSchema', strict: true };
      ask.checkPerson(await chatOf(target).withStructuredOutput(ask.PERSON, options).invoke(ask.QUESTIONS.schema));
    },
    'embeddings (float)': async (target) => ask.checkVectors(await embed(target, 'float')),
    // OpenAI's client below it asks for base64 when nothing is said, and decodes it.
    'embeddings (base64)': async (target) => ask.checkSameVectors(await embed(target, 'float'), await embed(target)),
    errors: async (target) => {
      const unknown = () => chatOf({ ...target, alias: ask.NOBODY }).invoke(ask.QUESTIONS.chat);
      await ask.checkFailure(unknown, 404);
      const refused = () => chatOf({ ...target, token: ask.WRONG_TOKEN }).invoke(ask.QUESTIONS.chat);
      await ask.checkFailure(refused, 401);
    },
  },
};
