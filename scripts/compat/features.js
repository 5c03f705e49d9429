// What is asked of every client, and what an answer must look like. Real models get it right, and mocks can be told to.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';

/** One pixel, red. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

/** In the order of the table. */
export const FEATURES = [
  'chat',
  'stream',
  'tools',
  'streamed tools',
  'tool results',
  'vision',
  'JSON schema',
  'embeddings (float)',
  'embeddings (base64)',
  'models',
  'errors',
];

export const QUESTIONS = {
  chat: 'Say hello in one short sentence.',
  tools: 'What is the weather in Oslo? Use the tool.',
  vision: 'Which colour has this picture? Answer in one word.',
  schema: 'Describe a person of your invention.',
  embeddings: ['The first sentence.', 'The second sentence.'],
};

export const TOOL = {
  name: 'get_weather',
  description: 'The weather of a city, now',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string', description: 'The name of the city' } },
    required: ['city'],
    additionalProperties: false,
  },
  result: 'Rain, 4 degrees',
};

export const PERSON = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
};

/** Enough for a model that thinks before it answers. */
export const MAX_TOKENS = 2000;

/** An alias and a token that nobody has. */
export const NOBODY = 'no-such-model';
export const WRONG_TOKEN = 'not-a-token-of-this-hub';

export const checkText = (text) => assert.ok(typeof text === 'string' && text.trim() !== '', `no text: ${show(text)}`);

/** A stream came in pieces, and they are the answer. */
export const checkPieces = (pieces) => {
  assert.ok(pieces.length > 0, 'the stream has no pieces');
  checkText(pieces.join(''));
};

export const checkUsage = (input, output) => {
  assert.ok(Number.isInteger(input) && input > 0, `no input tokens: ${show(input)}`);
  assert.ok(Number.isInteger(output) && output > 0, `no output tokens: ${show(output)}`);
};

/** @param call `{id, name, input}`, the input as an object or as JSON text */
export const checkCall = (call) => {
  assert.ok(call, 'the tool was not called');
  assert.equal(call.name, TOOL.name);
  assert.ok(typeof call.id === 'string' && call.id !== '', 'the call has no id');
  const input = typeof call.input === 'string' ? JSON.parse(call.input) : call.input;
  assert.match(String(input?.city), /oslo/i);
};

export const checkPerson = (value) => {
  const person = typeof value === 'string' ? JSON.parse(value) : value;
  assert.equal(typeof person?.name, 'string', `no name: ${show(person)}`);
  assert.ok(Number.isInteger(person.age), `no age: ${show(person)}`);
};

export const checkVectors = (vectors) => {
  assert.equal(vectors.length, QUESTIONS.embeddings.length);
  const [length] = vectors.map((vector) => vector.length);
  assert.ok(length > 0, 'the vectors are empty');
  for (const vector of vectors) {
    assert.equal(vector.length, length);
    assert.ok(
      [...vector].every((value) => Number.isFinite(value)),
      'the vectors hold more than numbers',
    );
    assert.ok(
      [...vector].some((value) => value !== 0),
      'the vectors are zero',
    );
  }
};

/** Both encodings say the same, up to the precision of 32 bits. */
export const checkSameVectors = (vectors, others) => {
  checkVectors(vectors);
  checkVectors(others);
  vectors.forEach((vector, row) =>
    vector.forEach((value, column) => {
      const other = others[row][column];
      assert.ok(Math.abs(value - other) <= 1e-3 * Math.max(1, Math.abs(value)), `${value} and ${other} differ`);
    }),
  );
};

/** `work` fails with this status, and as a failure of this class where the client has classes. */
export const checkFailure = async (work, status, type) => {
  const failure = await work().then(
    () => null,
    (error) => error,
  );
  assert.ok(failure, `expected ${status}, but it went well`);
  const seen = failure.status ?? failure.statusCode ?? failure.lastError?.statusCode;
  assert.equal(seen, status, `expected ${status}: ${failure.message}`);
  // The path may be unknown just as well.
  if (status === 404) assert.ok(failure.message.includes(NOBODY), `not about the model: ${failure.message}`);
  if (type) assert.ok(failure instanceof type, `expected ${type.name}, not ${failure.constructor.name}`);
};

const show = (value) => inspect(value).slice(0, 200);
