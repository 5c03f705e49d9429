import { isPlainObject } from '../../contract/fields.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ProviderError } from './provider-error.js';

/** How a vector is written: a list of numbers, or its Float32 values, little-endian, in base64. */
export type EncodingFormat = 'float' | 'base64';

type Parameters = Readonly<Record<string, unknown>>;

const FLOAT_BYTES = 4;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const badAnswer = (message: string): ProviderError => new ProviderError('bad_answer', { message });

/** The format that a request asks for; OpenAI's own clients ask for base64 unless told otherwise, and decode it. */
export const formatAskedFor = ({ encoding_format: format }: Parameters): EncodingFormat =>
  format === 'base64' ? 'base64' : 'float';

/** How many vectors a request asks for: one per text or list of tokens. */
export const countVectors = ({ input }: Parameters): number => {
  if (!Array.isArray(input)) return 1;
  return typeof input[0] === 'number' ? 1 : input.length;
};

/** The texts of a request, for a provider that takes no tokens: throws `parameter_not_supported` where it has some. */
export const textsOf = ({ input }: Parameters): string[] => {
  const texts: unknown[] = Array.isArray(input) ? input : [input];
  if (texts.every((text) => typeof text === 'string')) return texts;
  const detail = 'input must be a text or a list of texts for this model: its provider takes no tokens.';
  throw new AppError('parameter_not_supported', { detail, param: 'input' });
};

/** Throws `bad_answer` for what is no list of finite numbers that fit into Float32. */
export const toBase64 = (vector: unknown): string => {
  requireNumbers(vector);
  const bytes = Buffer.allocUnsafe(vector.length * FLOAT_BYTES);
  for (const [index, value] of vector.entries()) {
    const at = index * FLOAT_BYTES;
    bytes.writeFloatLE(value, at);
    if (!Number.isFinite(bytes.readFloatLE(at))) throw badAnswer('a number of a vector does not fit into Float32');
  }
  return bytes.toString('base64');
};

/** Throws `bad_answer` for what is no vector of finite Float32 values. */
export const fromBase64 = (text: unknown): number[] => {
  const bytes = typeof text === 'string' && BASE64.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  if (bytes.length === 0 || bytes.length % FLOAT_BYTES !== 0) throw badAnswer('a vector is no base64 of Float32');
  const vector = Array.from({ length: bytes.length / FLOAT_BYTES }, (_, index) =>
    bytes.readFloatLE(index * FLOAT_BYTES),
  );
  requireNumbers(vector);
  return vector;
};

function requireNumbers(vector: unknown): asserts vector is number[] {
  if (!Array.isArray(vector) || vector.length === 0) throw badAnswer('a vector is no list of numbers');
  if (!vector.every((value) => Number.isFinite(value)))
    throw badAnswer('a vector has something in it that is no number');
}

/** A whole answer in OpenAI's format, for providers that answer otherwise; `vectors` in the order of the inputs. */
export const toEmbeddingsBody = (
  {
    model,
    vectors,
    inputTokens,
  }: { model: string; vectors: readonly (readonly number[])[]; inputTokens: number | null },
  parameters: Parameters,
): Buffer => {
  const isBase64 = formatAskedFor(parameters) === 'base64';
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: isBase64 ? toBase64(vector) : vector,
  }));
  const usage = inputTokens === null ? null : { prompt_tokens: inputTokens, total_tokens: inputTokens };
  return Buffer.from(JSON.stringify({ object: 'list', data, model, ...(usage && { usage }) }));
};

/**
 * The vectors of an answer in OpenAI's format, in the format asked for; null: they are already, so its bytes can go on as
 * they are. Servers answer floats to whoever asks for base64, and the other way round, which OpenAI's clients take for the
 * vector. Throws `bad_answer` when a vector is none, or one is missing.
 */
export const converted = (answer: Parameters, parameters: Parameters): Record<string, unknown> | null => {
  const { data } = answer;
  const count = countVectors(parameters);
  if (!Array.isArray(data)) throw badAnswer('the answer is no list of vectors');
  if (data.length !== count) throw badAnswer(`the answer has ${data.length} vectors for ${count} inputs`);
  const asked = formatAskedFor(parameters);
  let hasOther = false;
  const entries = data.map((entry: unknown) => {
    const embedding = isPlainObject(entry) ? entry['embedding'] : undefined;
    const isBase64 = typeof embedding === 'string';
    if (isBase64 === (asked === 'base64')) {
      requireVector(embedding);
      return entry;
    }
    hasOther = true;
    return { ...(entry as object), embedding: isBase64 ? fromBase64(embedding) : toBase64(embedding) };
  });
  return hasOther ? { ...answer, data: entries } : null;
};

const requireVector = (embedding: unknown): void => {
  if (typeof embedding === 'string') fromBase64(embedding);
  else requireNumbers(embedding);
};
