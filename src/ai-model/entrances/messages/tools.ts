import { refuseField } from '../../calls/incoming-call.js';
import { given, isGiven } from '../given.js';
import { extensionsOf, refuseUnsupported } from './content-blocks.js';
import type { MessagesRequest, ToolChoice, ToolParam } from './messages-request.js';

type ChatTool = Readonly<Record<string, unknown>>;

/** What a tool does the same without. */
const WITHOUT_EFFECT = ['allowed_callers', 'defer_loading', 'eager_input_streaming', 'input_examples'];

/** `tools` and `tool_choice` as parameters of OpenAI's chat request. */
export const toChatTools = (
  { tools, tool_choice: choice }: Pick<MessagesRequest, 'tools' | 'tool_choice'>,
  ignored: Set<string>,
): Readonly<Record<string, unknown>> => {
  if (!tools?.length) return isGiven(choice) ? withoutTools(choice) : {};
  return {
    tools: tools.map((tool, index) => toChatTool(tool, `tools[${index}]`, ignored)),
    ...(isGiven(choice) && { tool_choice: toChatChoice(choice) }),
    ...(choice?.disable_parallel_tool_use === true && { parallel_tool_calls: false }),
  };
};

const withoutTools = ({ type }: ToolChoice): Readonly<Record<string, unknown>> => {
  if (type === 'auto' || type === 'none') return {};
  throw refuseField('tool_choice', 'tool_choice needs tools to choose from.');
};

const toChatTool = (tool: ToolParam, path: string, ignored: Set<string>): ChatTool => {
  const { type, name, description, input_schema: parameters, strict } = tool;
  if (isGiven(type) && type !== 'custom') {
    const reason = `${type.slice(0, 64)} is a tool of Anthropic's; the hub hands on those that have an input_schema`;
    throw refuseUnsupported(`${path}.type`, reason);
  }
  for (const member of WITHOUT_EFFECT) if (isGiven(tool[member])) ignored.add(`tools.${member}`);
  return { type: 'function', function: given({ name, description, parameters, strict }), ...extensionsOf(tool) };
};

const CHOICES = { auto: 'auto', any: 'required', none: 'none' } as const;

const toChatChoice = ({ type, name }: ToolChoice): string | ChatTool =>
  type === 'tool' ? { type: 'function', function: { name } } : CHOICES[type];
