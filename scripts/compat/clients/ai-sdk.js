import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import * as ask from '../features.js';

const WEATHER = { description: ask.TOOL.description, inputSchema: jsonSchema(ask.TOOL.parameters) };

const hubOf = ({ url, token }) =>
  createOpenAICompatible({
    name: 'hub',
    baseURL: `${url}/v1`,
    apiKey: token,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
const request = (target, prompt, fields) => ({
  model: hubOf(target)(target.alias),
  prompt,
  maxOutputTokens: ask.MAX_TOKENS,
  maxRetries: 0,
  ...fields,
});
const toCall = (call) => call && { id: call.toolCallId, name: call.toolName, input: call.input };

/** The failure of a stream is told to a listener, not thrown. */
const streamed = async (asked) => {
  let failure;
  const result = streamText({ ...asked, onError: ({ error }) => (failure = error) });
  const pieces = [];
  for await (const piece of result.textStream) pieces.push(piece);
  if (failure) throw failure;
  return { pieces, calls: await result.toolCalls, usage: await result.usage };
};

/** Vercel's AI SDK. It lists no models, and asks for embeddings as floats. */
export default {
  name: 'ai (@ai-sdk/openai-compatible)',
  features: {
    chat: async (target) => {
      const { text, usage } = await generateText(request(target, ask.QUESTIONS.chat));
      ask.checkText(text);
      ask.checkUsage(usage.inputTokens, usage.outputTokens);
    },
    stream: async (target) => {
      const { pieces, usage } = await streamed(request(target, ask.QUESTIONS.chat));
      ask.checkPieces(pieces);
      ask.checkUsage(usage.inputTokens, usage.outputTokens);
    },
    tools: async (target) => {
      const tools = { [ask.TOOL.name]: tool(WEATHER) };
      const { toolCalls } = await generateText(request(target, ask.QUESTIONS.tools, { tools }));
      ask.checkCall(toCall(toolCalls[0]));
    },
    'streamed tools': async (target) => {
      const tools = { [ask.TOOL.name]: tool(WEATHER) };
      const { calls } = await streamed(request(target, ask.QUESTIONS.tools, { tools }));
      ask.checkCall(toCall(calls[0]));
    },
    'tool results': async (target) => {
      const tools = { [ask.TOOL.name]: tool({ ...WEATHER, execute: async () => ask.TOOL.result }) };
      const fields = { tools, stopWhen: stepCountIs(2) };
      const { text, steps } = await generateText(request(target, ask.QUESTIONS.tools, fields));
      ask.checkCall(toCall(steps[0].toolCalls[0]));
      ask.checkText(text);
    },
    vision: async (target) => {
      const content = [
        { type: 'text', text: ask.QUESTIONS.vision },
        { type: 'image', image: Buffer.from(ask.PIXEL, 'base64'), mediaType: 'image/png' },
      ];
      const { prompt: _none, ...asked } = request(target);
      const { text } = await generateText({ ...asked, messages: [{ role: 'user', content }] });
      ask.checkText(text);
    },
    'JSON schema': async (target) => {
      const output = Output.object({ schema: jsonSchema(ask.PERSON), name: 'person' });
      const result = await generateText(request(target, ask.QUESTIONS.schema, { output }));
      ask.checkPerson(result.output);
    },
    'embeddings (float)': async (target) => {
      const model = hubOf(target).textEmbeddingModel(target.embeddingAlias);
      const { embeddings } = await embedMany({ model, values: ask.QUESTIONS.embeddings, maxRetries: 0 });
      ask.checkVectors(embeddings);
    },
    errors: async (target) => {
      const unknown = request({ ...target, alias: ask.NOBODY }, ask.QUESTIONS.chat);
      await ask.checkFailure(() => generateText(unknown), 404, APICallError);
      const stranger = request({ ...target, token: ask.WRONG_TOKEN }, ask.QUESTIONS.chat);
      await ask.checkFailure(() => generateText(stranger), 401, APICallError);
    },
  },
};
