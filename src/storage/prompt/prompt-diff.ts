import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { isDeepStrictEqual } from 'node:util';
import { changesBetween } from '../../contract/history.contract.js';
import { normalizedVariables, type PromptVariable } from '../../contract/prompt-variables.js';
import type { PromptDiff, VariableChange } from '../../contract/prompt-view.contract.js';
import type { PromptVersionEntity } from './prompt-version.entity.js';

/** Two long texts that have nothing in common would keep the process busy for long. */
const DIFF_MILLISECONDS = 200;

export const diffVersions = (from: PromptVersionEntity, to: PromptVersionEntity): PromptDiff => ({
  from: from.version,
  to: to.version,
  unified: unifiedDiff(from, to),
  variables: variableChanges(normalizedVariables(from.variables), normalizedVariables(to.variables)),
  changes: changesBetween(
    { syntax: from.syntax, example_variables: from.exampleVariables },
    { syntax: to.syntax, example_variables: to.exampleVariables },
  ),
});

const unifiedDiff = (from: PromptVersionEntity, to: PromptVersionEntity): string => {
  if (from.promptContent === to.promptContent) return '';
  const names = [`version ${from.version}`, `version ${to.version}`] as const;
  const options = { timeout: DIFF_MILLISECONDS, headerOptions: FILE_HEADERS_ONLY };
  const texts = [from.promptContent, to.promptContent] as const;
  return createTwoFilesPatch(...names, ...texts, undefined, undefined, options) ?? replaceAll(...names, ...texts);
};

/** A valid unified diff as well, if not the shortest: every line goes, and every line comes. */
export const replaceAll = (fromName: string, toName: string, from: string, to: string): string => {
  const [gone, come] = [linesOf(from), linesOf(to)];
  return [
    `--- ${fromName}\n+++ ${toName}\n@@ -1,${gone.length} +1,${come.length} @@\n`,
    ...gone.map((line) => `-${line}`),
    ...come.map((line) => `+${line}`),
  ].join('');
};

/** Each with its end; a last line that has none is marked as the format wants it. */
const linesOf = (text: string): string[] => {
  const lines = text.split(/(?<=\n)/);
  const last = lines.at(-1) ?? '';
  return last.endsWith('\n') ? lines : [...lines.slice(0, -1), `${last}\n\\ No newline at end of file\n`];
};

const variableChanges = (from: readonly PromptVariable[], to: readonly PromptVariable[]): VariableChange[] => {
  const [before, after] = [byName(from), byName(to)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => ({ name, from: before.get(name) ?? null, to: after.get(name) ?? null }))
    .filter((change) => !isDeepStrictEqual(change.from, change.to));
};

const byName = (variables: readonly PromptVariable[]): Map<string, PromptVariable> =>
  new Map(variables.map((variable) => [variable.name, variable]));
