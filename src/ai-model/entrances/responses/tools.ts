import { refuseField } from '../../calls/incoming-call.js';
import { given, isGiven } from '../given.js';
import { refuseUnsupported } from './content-parts.js';
import type { CustomTool, FunctionTool, ResponsesTool, ToolChoice } from './responses-request.js';

type ChatTool = Readonly<Record<string, unknown>>;

const HERE = 'the hub offers function and custom tools; others run at OpenAI';

/** Tools as OpenAI's chat format has them. */
export const toChatTools = (tools: readonly ResponsesTool[]): ChatTool[] =>
  tools.map((tool, index) => toChatTool(tool, `tools[${index}]`));

const toChatTool = (tool: ResponsesTool, path: string): ChatTool => {
  if (tool.type === 'function') return { type: 'function', function: functionOf(tool) };
  if (tool.type === 'custom') return { type: 'custom', custom: customOf(tool) };
  const { type } = tool as { type: string };
  throw refuseUnsupported(`${path}.type`, `${path}.type: ${type} cannot be used here: ${HERE}.`);
};

const functionOf = ({ name, description, parameters, strict }: FunctionTool): ChatTool =>
  given({ name, description, parameters, strict });

const customOf = ({ name, description, format }: CustomTool): ChatTool =>
  given({ name, description, format: isGiven(format) ? formatOf(format) : null });

const formatOf = ({ type, definition, syntax }: NonNullable<CustomTool['format']>): ChatTool =>
  type === 'grammar' ? { type, grammar: { definition, syntax } } : { type };

/** The choice of a tool as OpenAI's chat format has it. */
export const toChatToolChoice = (choice: string | ToolChoice): string | ChatTool => {
  if (typeof choice === 'string') return choice;
  if (choice.type !== 'allowed_tools') return named(choice, 'tool_choice');
  const { mode = 'auto', tools = [] } = choice;
  const allowed = tools.map((tool, index) => named(tool, `tool_choice.tools[${index}]`));
  return { type: 'allowed_tools', allowed_tools: { mode, tools: allowed } };
};

const named = ({ type, name }: { type: string; name?: string }, path: string): ChatTool => {
  if (type !== 'function' && type !== 'custom') {
    throw refuseUnsupported(`${path}.type`, `${path}.type: ${type} cannot be chosen here: ${HERE}.`);
  }
  if (name === undefined) throw refuseField(`${path}.name`, `${path}.name must be the name of the tool.`);
  return { type, [type]: { name } };
};
