import { toVariableName } from '../../../contract/prompt-variables.js';
import { escapeTemplate } from '../../../platform/template/scanner.js';

/** A text of Langfuse as a template of ours. */
export interface ConvertedText {
  text: string;
  /** Names of the variables, in the order of their first use. */
  variables: string[];
  /** What is not as it was, in words. */
  remarks: string[];
}

/** Langfuse puts a value in for what stands between two pairs of braces, whatever it is. */
const VARIABLE = /\{\{\s*([^{}]{1,200}?)\s*\}\}/g;
const REFERENCE = /@@@langfusePrompt:/;

/** A text that takes in another prompt, which ours cannot. */
export const refersToPrompt = (text: string): boolean => REFERENCE.test(text);

/** A name as it may be here; null: nothing of it can be one. */
const toName = (text: string): string | null => {
  const same = toVariableName(text);
  if (same !== null) return same;
  const cleaned = text
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^[^\p{L}]+|_+$/gu, '')
    .slice(0, 64);
  return toVariableName(cleaned);
};

/** A literal in front of a tag: its last brace or backslash must not run into it. */
const beforeTag = (literal: string): { text: string; hasSpace: boolean } => {
  const escaped = escapeTemplate(literal);
  if (escaped.endsWith('{')) return { text: `${escaped} `, hasSpace: true };
  const [backslashes = ''] = /\\*$/.exec(escaped) ?? [];
  return { text: escaped + backslashes, hasSpace: false };
};

/** `{{ name }}` becomes a variable, any other brace is what it is. */
export const convertText = (source: string): ConvertedText => {
  const variables = new Set<string>();
  const remarks = new Set<string>();
  let text = '';
  let from = 0;
  for (const { 0: tag, 1: inner = '', index } of source.matchAll(VARIABLE)) {
    const name = toName(inner);
    if (name === null) continue;
    if (name !== inner) remarks.add(`the variable ${inner} is ${name} here`);
    const literal = beforeTag(source.slice(from, index));
    if (literal.hasSpace) remarks.add('a space stands between a brace and the variable behind it');
    variables.add(name);
    text += `${literal.text}{{${name}}}`;
    from = index + tag.length;
  }
  return { text: text + escapeTemplate(source.slice(from)), variables: [...variables], remarks: [...remarks] };
};
