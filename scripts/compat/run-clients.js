import aiSdk from './clients/ai-sdk.js';
import anthropic from './clients/anthropic.js';
import langchain from './clients/langchain.js';
import openaiChat from './clients/openai-chat.js';
import openaiResponses from './clients/openai-responses.js';
import { FEATURES, QUESTIONS, TOOL } from './features.js';

export { FEATURES } from './features.js';

export const CLIENTS = [openaiChat, openaiResponses, anthropic, aiSdk, langchain];

const LIMIT_MILLISECONDS = 60_000;

const within = async (work, milliseconds) => {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Runs one feature of one client. `target` is `{url, token, alias, embeddingAlias}`: the hub's address without a path, a
 * token that may call, and the models to be called.
 * @returns `{client, feature, outcome, reason}`; outcome `pass`, `fail`, or `none` where the client has no such feature
 */
export const runFeature = async (client, feature, target, limit = LIMIT_MILLISECONDS) => {
  const work = client.features[feature];
  const row = { client: client.name, feature };
  if (!work) return { ...row, outcome: 'none', reason: 'the client has no such feature' };
  if (feature.startsWith('embeddings') && !target.embeddingAlias) {
    return { ...row, outcome: 'none', reason: 'no model that makes embeddings was named' };
  }
  try {
    await within(() => work(target), limit);
    return { ...row, outcome: 'pass', reason: null };
  } catch (error) {
    const reason = String(error?.message ?? error);
    return { ...row, outcome: 'fail', reason: reason.split('\n', 1)[0].slice(0, 300) };
  }
};

/** Every client and feature against one model, one after the other. */
export const runClients = async (target, { clients = CLIENTS, features = FEATURES } = {}) => {
  const rows = [];
  for (const client of clients) {
    for (const feature of features) rows.push(await runFeature(client, feature, target));
  }
  return rows;
};

/**
 * What a mock has to answer so that all of this is right: `mock` is an LLMock of `@copilotkit/aimock`, which speaks the
 * wire of every provider.
 */
export const teach = (mock) => {
  mock.on({ toolResultContains: TOOL.result }, { content: 'It rains in Oslo.' });
  mock.onMessage(QUESTIONS.tools, {
    toolCalls: [{ id: 'call_weather', name: TOOL.name, arguments: JSON.stringify({ city: 'Oslo' }) }],
  });
  mock.onMessage(QUESTIONS.chat, { content: 'Hello, and welcome to this side of the hub.' });
  mock.onMessage(QUESTIONS.vision, { content: 'Red' });
  mock.onMessage(QUESTIONS.schema, { content: JSON.stringify({ name: 'Ada', age: 36 }) });
};
