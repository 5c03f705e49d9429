import { PROMPT_LIMITS } from '../../contract/prompt-limits.js';
import type { PromptVariableType } from '../../contract/prompt-values.js';
import type { PromptVariable } from '../../contract/prompt-variables.js';
import type { TemplateNode } from './parser.js';
import type { ErrorList } from './template-errors.js';

/** Compares the names a tree uses with the declared variables, reports what does not go together, and returns the names. */
export const checkUse = (
  nodes: readonly TemplateNode[],
  variables: ReadonlyMap<string, PromptVariable>,
  errors: ErrorList,
): string[] => {
  const names = new Set<string>();

  const typeOf = ({ name, at }: { name: string; at: number }): PromptVariableType | undefined => {
    if (!names.has(name) && names.size <= PROMPT_LIMITS.variables) {
      names.add(name);
      if (names.size > PROMPT_LIMITS.variables) errors.add('too_many_variables', at);
      else if (!variables.has(name)) errors.add('undeclared_variable', at, name);
    }
    return variables.get(name)?.type;
  };

  const check = (children: readonly TemplateNode[], hasItem: boolean): void => {
    for (const node of children) {
      if (node.kind === 'item' && !hasItem) errors.add('item_outside_section', node.at);
      if (node.kind === 'value' && typeOf(node) === 'string[]') errors.add('list_outside_section', node.at, node.name);
      if (node.kind !== 'section') continue;
      const type = typeOf(node);
      if (type === 'integer' || type === 'number') errors.add('section_over_number', node.at, node.name);
      // What is not declared may have been meant as a list: one error is enough.
      check(node.children, hasItem || (!node.isInverted && (type === 'string[]' || type === undefined)));
    }
  };

  check(nodes, false);
  return [...names].slice(0, PROMPT_LIMITS.variables);
};
