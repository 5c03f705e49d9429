import { randomBytes } from 'node:crypto';
import type { Json } from './calls.js';
import type { TestHub } from './hub.js';

export const PROMPTS = '/api/v1/ai-models/prompts';

type Hub = Pick<TestHub, 'request'>;

/** A body of `POST /prompts`, valid as it is: give only what your story is about. */
export const aPrompt = (fields: Json = {}): Json => ({
  name: `prompt-${randomBytes(4).toString('hex')}`,
  prompt_content: 'You are a helpful assistant.',
  ...fields,
});

/** Saves a prompt through REST and answers it. */
export const savePrompt = async (hub: Hub, fields: Json = {}): Promise<Json> =>
  (await hub.request('post', PROMPTS).send(aPrompt(fields)).expect(201)).body as Json;

export const promptPath = (prompt: Json, rest = ''): string => `${PROMPTS}/${String(prompt['id'])}${rest}`;

export const readPrompt = async (hub: Hub, prompt: Json): Promise<Json> =>
  (await hub.request('get', promptPath(prompt)).expect(200)).body as Json;

/** Saves a further version and answers it. */
export const saveVersion = async (hub: Hub, prompt: Json, fields: Json): Promise<Json> =>
  (await hub.request('post', promptPath(prompt, '/versions')).send(fields).expect(201)).body as Json;

export const moveLabel = async (hub: Hub, prompt: Json, label: string, version: number): Promise<Json> =>
  (
    await hub
      .request('put', promptPath(prompt, `/labels/${label}`))
      .send({ version })
      .expect(200)
  ).body as Json;
