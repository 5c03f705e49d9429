import type {
  LanguageModelV3FilePart,
  LanguageModelV3Message,
  LanguageModelV3Prompt,
  LanguageModelV3ReasoningPart,
  LanguageModelV3TextPart,
  LanguageModelV3ToolCallPart,
  LanguageModelV3ToolResultOutput,
  LanguageModelV3ToolResultPart,
  SharedV3ProviderOptions,
} from '@ai-sdk/provider';
import { isPlainObject } from '../../../contract/fields.js';
import { refuseField } from '../../calls/incoming-call.js';
import { toFilePart } from './media-parts.js';
import type { SdkWire } from './sdk-wire.js';

type Fields = Readonly<Record<string, unknown>>;
type UserPart = LanguageModelV3TextPart | LanguageModelV3FilePart;
type AssistantPart = LanguageModelV3TextPart | LanguageModelV3ReasoningPart | LanguageModelV3ToolCallPart;

const fieldsOf = (value: unknown): Fields => (isPlainObject(value) ? value : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** Anthropic's mark for its prompt cache; other providers do not look at it. */
const cacheMark = ({ cache_control: mark }: Fields): { providerOptions?: SharedV3ProviderOptions } =>
  isPlainObject(mark) ? { providerOptions: { anthropic: { cacheControl: mark } } as SharedV3ProviderOptions } : {};

/** A message's own mark belongs to its last part: messages of one role are put together. */
const withMark = <Part extends { providerOptions?: SharedV3ProviderOptions }>(
  parts: Part[],
  message: Fields,
): Part[] => {
  const last = parts.at(-1);
  if (last && isPlainObject(message['cache_control'])) {
    last.providerOptions = { ...last.providerOptions, ...cacheMark(message).providerOptions };
  }
  return parts;
};

/**
 * OpenAI's messages as the library takes them: system messages in front, in their order, and roles in turns, as both
 * Anthropic and Google want them. Throws `validation_failed` or `modality_not_supported`, naming the field.
 */
export class PromptReader {
  private readonly system: LanguageModelV3Message[] = [];
  private readonly turns: LanguageModelV3Message[] = [];
  /** Names of the tools that were called, by the id of the call. */
  private readonly called = new Map<string, string>();
  /** Media of tool results that cannot hold any, for a message of the user behind all results. */
  private readonly held: UserPart[] = [];

  constructor(
    private readonly wire: SdkWire,
    private readonly modelName: string,
  ) {}

  read(messages: unknown): LanguageModelV3Prompt {
    listOf(messages).forEach((message, index) => this.add(fieldsOf(message), `messages[${index}]`));
    this.pushHeld();
    return [...this.system, ...this.turns];
  }

  private add(message: Fields, at: string): void {
    switch (message['role']) {
      case 'system':
      case 'developer':
        return this.addSystem(message, at);
      case 'user':
        return this.push('user', withMark(this.userParts(message, at), message));
      case 'assistant':
        return this.push('assistant', withMark(this.assistantParts(message, at), message));
      case 'tool':
        return this.push('tool', withMark([this.toolResult(message, at)], message));
      default:
        throw refuseField(`${at}.role`, `${at}.role must be system, developer, user, assistant or tool.`);
    }
  }

  private push(role: 'user' | 'assistant' | 'tool', parts: unknown[]): void {
    if (role !== 'tool') this.pushHeld();
    const last = this.turns.at(-1);
    if (last?.role === role) (last.content as unknown[]).push(...parts);
    else if (parts.length > 0) this.turns.push({ role, content: parts } as LanguageModelV3Message);
  }

  private pushHeld(): void {
    const parts = this.held.splice(0);
    if (parts.length > 0) this.push('user', parts);
  }

  private addSystem(message: Fields, at: string): void {
    const parts = withMark(this.textParts(message['content'], `${at}.content`), message);
    for (const { text, ...options } of parts) {
      this.system.push({ role: 'system', content: text, ...withoutType(options) });
    }
  }

  private userParts({ content }: Fields, at: string): UserPart[] {
    if (typeof content === 'string') return [{ type: 'text', text: content }];
    return listOf(content).map((part, index) => this.userPart(fieldsOf(part), `${at}.content[${index}]`));
  }

  private userPart(part: Fields, at: string): UserPart {
    if (part['type'] === 'text') return { type: 'text', text: textOf(part, at), ...cacheMark(part) };
    return { ...toFilePart(part, at, this.wire), ...cacheMark(part) };
  }

  private assistantParts(message: Fields, at: string): AssistantPart[] {
    const texts = this.textParts(message['content'], `${at}.content`).filter(({ text }) => text !== '');
    const calls = listOf(message['tool_calls']).map((call, index) =>
      this.toolCall(fieldsOf(call), `${at}.tool_calls[${index}]`),
    );
    return [...thoughtsIn(message), ...texts, ...calls];
  }

  private toolCall(call: Fields, at: string): LanguageModelV3ToolCallPart {
    const { name, arguments: text } = fieldsOf(call['function']);
    const { id } = call;
    if (typeof id !== 'string' || typeof name !== 'string')
      throw refuseField(at, `${at} must be a call of a function, with its id and name.`);
    this.called.set(id, name);
    const signature = fieldsOf(fieldsOf(call['extra_content'])['google'])['thought_signature'];
    const google: SharedV3ProviderOptions =
      typeof signature === 'string' ? { google: { thoughtSignature: signature } } : {};
    const providerOptions = { ...google, ...cacheMark(call).providerOptions };
    const input = argumentsIn(text, `${at}.function.arguments`);
    return { type: 'tool-call', toolCallId: id, toolName: name, input, ...optionsOrNone(providerOptions) };
  }

  private toolResult(message: Fields, at: string): LanguageModelV3ToolResultPart {
    const { tool_call_id: id, content } = message;
    const toolName = typeof id === 'string' ? this.called.get(id) : undefined;
    if (typeof id !== 'string' || toolName === undefined)
      throw refuseField(`${at}.tool_call_id`, `${at}.tool_call_id must name a call of an assistant message before it.`);
    const output = this.toolOutput(content, { id, toolName }, `${at}.content`);
    return { type: 'tool-result', toolCallId: id, toolName, output };
  }

  /** Text as text; with media in it as parts, where the model takes them there. */
  private toolOutput(
    content: unknown,
    call: { id: string; toolName: string },
    at: string,
  ): LanguageModelV3ToolResultOutput {
    if (!listOf(content).some((part) => fieldsOf(part)['type'] !== 'text'))
      return { type: 'text', value: joined(this.textParts(content, at)) };
    const parts = listOf(content).map((part, index) => this.userPart(fieldsOf(part), `${at}[${index}]`));
    if (!this.wire.takesMediaInResults(this.modelName)) return this.holdMedia(parts, call);
    const value = parts.map((part) =>
      part.type === 'text' ? { type: 'text' as const, text: part.text } : toolMedia(part),
    );
    return { type: 'content', value };
  }

  private holdMedia(
    parts: UserPart[],
    { id, toolName }: { id: string; toolName: string },
  ): LanguageModelV3ToolResultOutput {
    const texts = parts.filter((part) => part.type === 'text');
    this.held.push({ type: 'text', text: `Result of ${toolName} (${id}):` });
    this.held.push(...parts.filter((part) => part.type === 'file'));
    return { type: 'text', value: joined([...texts, { text: 'What is no text follows after all results.' }]) };
  }

  private textParts(content: unknown, at: string): (LanguageModelV3TextPart & { type: 'text' })[] {
    if (typeof content === 'string') return [{ type: 'text', text: content }];
    return listOf(content).map((part, index) => {
      const fields = fieldsOf(part);
      return { type: 'text', text: textOf(fields, `${at}[${index}]`), ...cacheMark(fields) };
    });
  }
}

const joined = (parts: readonly { text: string }[]): string => parts.map(({ text }) => text).join('\n');

const withoutType = ({ providerOptions }: { providerOptions?: SharedV3ProviderOptions }): object =>
  providerOptions ? { providerOptions } : {};

const optionsOrNone = (providerOptions: SharedV3ProviderOptions): object =>
  Object.keys(providerOptions).length > 0 ? { providerOptions } : {};

/** A text, or what the model refused with. */
const textOf = (part: Fields, at: string): string => {
  const text = part['type'] === 'refusal' ? part['refusal'] : part['text'];
  const isText = part['type'] === 'text' || part['type'] === 'refusal';
  if (!isText || typeof text !== 'string') throw refuseField(`${at}.type`, `${at} must be a part of type text.`);
  return text;
};

const parseOrNull = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const argumentsIn = (text: unknown, at: string): unknown => {
  if (text === undefined || text === '') return {};
  const parsed = typeof text === 'string' ? parseOrNull(text) : null;
  if (isPlainObject(parsed)) return parsed;
  throw refuseField(at, `${at} must be a JSON object in a text.`);
};

const toolMedia = (part: LanguageModelV3FilePart) => {
  const { mediaType, data } = part;
  const isImage = mediaType.startsWith('image/');
  if (data instanceof URL)
    return isImage ? { type: 'image-url' as const, url: data.href } : { type: 'file-url' as const, url: data.href };
  return { type: isImage ? ('image-data' as const) : ('file-data' as const), mediaType, data: String(data) };
};

/** Thoughts that Anthropic signed or sealed, to be handed back as they came. */
const thoughtsIn = ({ reasoning_details: details }: Fields): LanguageModelV3ReasoningPart[] =>
  listOf(details).flatMap((detail): LanguageModelV3ReasoningPart[] => {
    const { type, text, signature, data } = fieldsOf(detail);
    if (type === 'reasoning.text' && typeof signature === 'string')
      return [reasoning(typeof text === 'string' ? text : '', { signature })];
    return type === 'reasoning.encrypted' && typeof data === 'string' ? [reasoning('', { redactedData: data })] : [];
  });

const reasoning = (text: string, anthropic: Record<string, string>): LanguageModelV3ReasoningPart => ({
  type: 'reasoning',
  text,
  providerOptions: { anthropic },
});

/**
 * Whether a loop of tool calls goes on whose thoughts did not come back: a provider that signs its thoughts refuses to
 * think on without them.
 */
export const lacksThoughts = (messages: unknown): boolean => {
  const list = listOf(messages).map(fieldsOf);
  if (list.at(-1)?.['role'] !== 'tool') return false;
  const asking = list.findLast(({ role }) => role === 'assistant');
  return asking !== undefined && thoughtsIn(asking).length === 0;
};
