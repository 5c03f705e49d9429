import { setImmediate as nextTurn } from 'node:timers/promises';
import { Document, isScalar, Scalar, visit } from 'yaml';
import { DOCUMENT_SECTIONS, type TextFormat } from '../../contract/declarative.contract.js';
import type { HubDocument } from './document.js';

/** Written at a stretch; then other requests have their turn. */
const ENTRIES_AT_ONCE = 50;

/** Lines that a block can hold to the letter; all else is quoted. */
const FITS_BLOCK = /^(?:[\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]|\n)*$/u;
const isFitForBlock = (text: string): boolean =>
  FITS_BLOCK.test(text) && !/[\u2028\u2029]/.test(text) && !/(?:^|\n)[ \t]+(?:\n|$)/.test(text) && !/^\s/.test(text);

/** Texts of several lines as blocks, where a block gives back the very same text. */
const styleOf = (text: string): Scalar.Type | undefined => {
  if (text.includes('\n') && isFitForBlock(text)) return Scalar.BLOCK_LITERAL;
  // Unquoted, the latter is the merge key.
  return /^[\x20-\x7e\xa0-\ud7ff]*$/.test(text) && text !== '<<' ? undefined : Scalar.QUOTE_DOUBLE;
};

/** YAML of a value: one style for one value, no anchors, nothing folded. */
const toYaml = (value: unknown): string => {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_key, node) => {
      if (isScalar(node) && typeof node.value === 'string') node.type = styleOf(node.value);
    },
  });
  return document.toString({ lineWidth: 0, indentSeq: false });
};

/** A list piece by piece: its entries stand at the margin, so that each can be written alone. */
const listToYaml = async (name: string, entries: readonly object[]): Promise<string> => {
  if (entries.length === 0) return toYaml({ [name]: [] });
  const pieces = [`${name}:\n`];
  for (let start = 0; start < entries.length; start += ENTRIES_AT_ONCE) {
    pieces.push(toYaml(entries.slice(start, start + ENTRIES_AT_ONCE)));
    await nextTurn();
  }
  return pieces.join('');
};

/** The text of a document, the same for the same document. */
export const writeDocument = async (document: HubDocument, format: TextFormat): Promise<string> => {
  if (format === 'json') return `${JSON.stringify(document, null, 2)}\n`;
  const { version, kind, sealing } = document;
  const pieces = [toYaml({ version, kind, ...(sealing && { sealing }) })];
  for (const section of DOCUMENT_SECTIONS) {
    const entries = document[section];
    if (entries) pieces.push(await listToYaml(section, entries));
  }
  return pieces.join('');
};
