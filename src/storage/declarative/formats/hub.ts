import { DOCUMENT_SECTIONS } from '../../../contract/declarative.contract.js';
import { isPlainObject } from '../../../contract/fields.js';
import { invalidFields, type FieldProblem } from '../../../platform/errors/app-error.js';
import { DOCUMENT_KIND, DOCUMENT_VERSION, type Entry, type ReadDocument } from '../document.js';
import { readSealing } from '../sealing.js';

const KNOWN_KEYS = new Set<string>(['version', 'kind', 'sealing', ...DOCUMENT_SECTIONS]);

/** The entries of a list, each with its place. Throws `validation_failed` for what is no list of objects. */
export const readEntries = (list: unknown, path: string): Entry[] => {
  if (!Array.isArray(list)) throw invalidFields({ field: path, message: `${path} must be a list` });
  const wrong: FieldProblem[] = [];
  const entries = list.map((fields: unknown, index) => {
    const place = `${path}[${index}]`;
    if (isPlainObject(fields)) return { path: place, fields };
    wrong.push({ field: place, message: `${place} must be an object` });
    return { path: place, fields: {} };
  });
  if (wrong.length > 0) throw invalidFields(...wrong.slice(0, 100));
  return entries;
};

/** Reads a document of the hub itself. */
export const readHubDocument = (document: Record<string, unknown>): ReadDocument => {
  const { version, kind, sealing, models, prompts, alert_rules } = document;
  if (kind !== DOCUMENT_KIND) throw invalidFields({ field: 'kind', message: `kind must be ${DOCUMENT_KIND}` });
  if (version !== DOCUMENT_VERSION) {
    throw invalidFields({ field: 'version', message: `version must be ${DOCUMENT_VERSION}` });
  }
  const unknown = Object.keys(document).filter((key) => !KNOWN_KEYS.has(key));
  if (unknown.length > 0) {
    throw invalidFields(...unknown.map((key) => ({ field: key, message: `${key} is not known here` })));
  }
  return {
    format: 'hub',
    sealing: sealing === undefined || sealing === null ? null : readSealing(sealing),
    models: models === undefined ? null : readEntries(models, 'models'),
    prompts: prompts === undefined ? null : readEntries(prompts, 'prompts'),
    alert_rules: alert_rules === undefined ? null : readEntries(alert_rules, 'alert_rules'),
    variables: new Map(),
    report: [],
  };
};
