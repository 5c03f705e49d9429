/** OpenAI's Responses request, as far as the hub reads it; the schema has checked that it looks like this. */
export interface ResponsesRequest {
  /** An alias, or `auto`. */
  model: string;
  input: string | readonly InputItem[];
  instructions?: string | null;
  stream?: boolean | null;
  max_output_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  top_logprobs?: number | null;
  include?: readonly string[] | null;
  tools?: readonly ResponsesTool[] | null;
  tool_choice?: string | ToolChoice | null;
  parallel_tool_calls?: boolean | null;
  text?: { format?: TextFormat | null; verbosity?: string | null } | null;
  reasoning?: { effort?: string | null; summary?: string | null; generate_summary?: string | null } | null;
  metadata?: Readonly<Record<string, string>> | null;
  service_tier?: string | null;
  user?: string | null;
  safety_identifier?: string | null;
  prompt_cache_key?: string | null;
  store?: boolean | null;
  background?: boolean | null;
  truncation?: string | null;
  stream_options?: { include_obfuscation?: boolean | null } | null;
  /** What the hub has no use for, or refuses. */
  readonly [parameter: string]: unknown;
}

/** A message in its easy or full form when `type` is absent or `message`, else what `type` says. */
export type InputItem = MessageItem | CallItem | CustomCallItem | CallOutputItem | ReasoningItem;

export interface MessageItem {
  type?: 'message';
  role: 'user' | 'assistant' | 'system' | 'developer';
  content: string | readonly InputPart[];
}

export interface CallItem {
  type: 'function_call';
  call_id: string;
  name: string;
  arguments: string;
  /** What a provider wants to have back with the call, such as Google's signature of a thought. */
  extra_content?: unknown;
}

export interface CustomCallItem {
  type: 'custom_tool_call';
  call_id: string;
  name: string;
  input: string;
  extra_content?: unknown;
}

export interface CallOutputItem {
  type: 'function_call_output' | 'custom_tool_call_output';
  call_id: string;
  output: string | readonly InputPart[];
}

export interface ReasoningItem {
  type: 'reasoning';
  id?: string | null;
  summary?: readonly { text: string }[] | null;
  content?: readonly { text: string }[] | null;
  encrypted_content?: string | null;
}

export type InputPart = TextPart | RefusalPart | ImagePart | FilePart | AudioPart;

interface AnyPart {
  /** OpenAI's chat format knows it under the same name. */
  prompt_cache_breakpoint?: unknown;
}

export interface TextPart extends AnyPart {
  type: 'input_text' | 'output_text';
  text: string;
}

export interface RefusalPart extends AnyPart {
  type: 'refusal';
  refusal: string;
}

export interface ImagePart extends AnyPart {
  type: 'input_image';
  image_url?: string | null;
  file_id?: string | null;
  detail?: 'auto' | 'low' | 'high' | 'original' | null;
}

export interface FilePart extends AnyPart {
  type: 'input_file';
  file_data?: string | null;
  file_url?: string | null;
  file_id?: string | null;
  filename?: string | null;
  detail?: string | null;
}

export interface AudioPart extends AnyPart {
  type: 'input_audio';
  input_audio: { data: string; format: string };
}

export type ResponsesTool = FunctionTool | CustomTool;

export interface FunctionTool {
  type: 'function';
  name: string;
  description?: string | null;
  parameters?: Readonly<Record<string, unknown>> | null;
  strict?: boolean | null;
}

export interface CustomTool {
  type: 'custom';
  name: string;
  description?: string | null;
  format?: { type: string; definition?: string; syntax?: string } | null;
}

export interface ToolChoice {
  type: string;
  name?: string;
  mode?: string;
  tools?: readonly { type: string; name?: string }[];
}

export interface TextFormat {
  type: 'text' | 'json_object' | 'json_schema';
  name?: string;
  description?: string | null;
  schema?: Readonly<Record<string, unknown>>;
  strict?: boolean | null;
}
