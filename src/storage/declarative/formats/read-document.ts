import type { DocumentFormat } from '../../../contract/declarative.contract.js';
import { isPlainObject } from '../../../contract/fields.js';
import { invalidFields } from '../../../platform/errors/app-error.js';
import type { ReadDocument } from '../document.js';
import { readHubDocument } from './hub.js';
import { readLangfuse } from './langfuse.js';
import { readLiteLlm } from './litellm/litellm.js';

type Reader = (document: Record<string, unknown>) => ReadDocument;

/** One line per format. */
const READERS: Record<DocumentFormat, { isIt: (document: Record<string, unknown>) => boolean; read: Reader }> = {
  hub: { isIt: (document) => Object.hasOwn(document, 'kind'), read: readHubDocument },
  litellm: { isIt: (document) => Object.hasOwn(document, 'model_list'), read: readLiteLlm },
  langfuse: { isIt: (document) => Array.isArray(document['data']), read: readLangfuse },
};

/** Reads a document of the given format, or of the one that it looks like. */
export const readDocument = (document: unknown, format: 'auto' | DocumentFormat): ReadDocument => {
  const wrapped = Array.isArray(document) ? { data: document } : document;
  if (!isPlainObject(wrapped)) {
    throw invalidFields({ field: 'document', message: 'document must be an object, or a list of prompts' });
  }
  const found = (Object.keys(READERS) as DocumentFormat[]).find((name) => READERS[name].isIt(wrapped));
  const name = format === 'auto' ? found : format;
  if (name) return READERS[name].read(wrapped);
  const message =
    'document is none that is known: an export of the hub has kind, a LiteLLM config.yaml has model_list, prompts of Langfuse are a list or data';
  throw invalidFields({ field: 'document', message });
};
