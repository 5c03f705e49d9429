import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import {
  ImportEnvelope,
  isEnvelope,
  MAX_DOCUMENT_BYTES,
  YAML_TYPES,
  type ImportQuery,
} from '../../contract/declarative.contract.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import { bodyProblem, parseJson } from '../../platform/http/json-body.js';
import { validateAs } from '../../platform/http/validation.js';
import { yamlToJson } from '../../platform/yaml/read-yaml.js';

/** Five thousand models with all their fields have 250 000 values. */
const MAX_VALUES = 500_000;
/** What may be 64 levels deep in the body of one model stands deeper in a document, and in its envelope. */
const MAX_DEPTH = 68;

/** What a caller sent, its text parsed. */
export interface ImportRequest {
  document: unknown;
  format: NonNullable<ImportQuery['format']>;
  env: ReadonlyMap<string, string>;
  passphrase: string | null;
}

const parse = (bytes: Buffer): unknown => {
  const value = parseJson(bytes, { maxValues: MAX_VALUES, maxDepth: MAX_DEPTH });
  const problem = bodyProblem(value, MAX_DEPTH);
  if (problem) throw new AppError('malformed_request', { detail: problem });
  return value;
};

const fromYaml = async (text: string): Promise<unknown> =>
  parse(Buffer.from(await yamlToJson(text, MAX_DOCUMENT_BYTES)));

const isJsonText = (text: string): boolean => /^\s*[[{]/.test(text);

/** JSON is YAML too, but reading it as JSON costs a tenth. */
const fromText = async (text: string): Promise<unknown> => {
  if (!isJsonText(text)) return fromYaml(text);
  try {
    return parse(Buffer.from(text));
  } catch (error) {
    // `{a: 1}` is YAML only.
    if (error instanceof AppError && error.code === 'malformed_json') return fromYaml(text);
    throw error;
  }
};

const fromYamlBody = async (bytes: Buffer): Promise<unknown> => {
  if (!isUtf8(bytes)) throw new AppError('malformed_yaml', { detail: 'The document is not text in UTF-8.' });
  return fromText(bytes.toString('utf8'));
};

const isYaml = (contentType: string | undefined): boolean =>
  YAML_TYPES.some((type) => contentType?.toLowerCase().startsWith(type));

const openEnvelope = async (body: object, format: ImportRequest['format']): Promise<ImportRequest> => {
  const envelope = await validateAs(ImportEnvelope, body);
  const { document, env = {}, passphrase = null } = envelope;
  return {
    document: typeof document === 'string' ? await fromText(document) : document,
    format: envelope.format ?? format,
    // An empty variable counts as unset, as everywhere.
    env: new Map(Object.entries(env).filter(([, value]) => value !== '')),
    passphrase,
  };
};

/** Reads the body of an import: a document in YAML or JSON, or the envelope with one in it. */
export const readImportRequest = async (request: FastifyRequest, query: ImportQuery): Promise<ImportRequest> => {
  const { rawBody } = request;
  const format = query.format ?? 'auto';
  if (!rawBody || rawBody.length === 0) {
    throw invalidFields({ field: 'document', message: 'document must be sent, as the body or in it' });
  }
  if (isYaml(request.headers['content-type'])) {
    return { document: await fromYamlBody(rawBody), format, env: new Map(), passphrase: null };
  }
  const body = parse(rawBody);
  if (isEnvelope(body)) return openEnvelope(body, format);
  return { document: body, format, env: new Map(), passphrase: null };
};
