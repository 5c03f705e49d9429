/** Anthropic's request, as far as the hub reads it; the schema has checked that it looks like this. */
export interface MessagesRequest {
  /** An alias, or `auto`. */
  model: string;
  messages: readonly MessageParam[];
  /** Absent where tokens are counted only. */
  max_tokens?: number;
  system?: string | readonly TextBlock[] | null;
  stop_sequences?: readonly string[] | null;
  stream?: boolean | null;
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  tools?: readonly ToolParam[] | null;
  tool_choice?: ToolChoice | null;
  thinking?: Thinking | null;
  output_config?: { effort?: string | null; format?: OutputFormat | null } | null;
  /** The older name of `output_config.format`. */
  output_format?: OutputFormat | null;
  metadata?: { user_id?: string | null } | null;
  cache_control?: unknown;
  service_tier?: string | null;
  speed?: string | null;
  /** What the hub has no use for, or refuses. */
  readonly [parameter: string]: unknown;
}

export interface MessageParam {
  role: 'user' | 'assistant' | 'system';
  content: string | readonly ContentBlock[];
}

export type ContentBlock =
  | TextBlock
  | ImageBlock
  | DocumentBlock
  | SearchResultBlock
  | ToolUseBlock
  | ToolResultBlock
  | ThinkingBlock
  | RedactedThinkingBlock;

interface AnyBlock {
  /** Where a prompt's cache may end. */
  cache_control?: unknown;
}

export interface TextBlock extends AnyBlock {
  type: 'text';
  text: string;
}

export interface ImageBlock extends AnyBlock {
  type: 'image';
  source: Base64Source | UrlSource | FileSource;
  transformations?: unknown;
}

export interface DocumentBlock extends AnyBlock {
  type: 'document';
  source: Base64Source | TextSource | ContentSource | UrlSource | FileSource;
  title?: string | null;
  context?: string | null;
  citations?: { enabled?: boolean } | null;
}

export interface SearchResultBlock extends AnyBlock {
  type: 'search_result';
  source: string;
  title: string;
  content: readonly TextBlock[];
  citations?: { enabled?: boolean } | null;
}

export interface ToolUseBlock extends AnyBlock {
  type: 'tool_use';
  id: string;
  name: string;
  input?: unknown;
  /** The hub's own: what a provider wants to have back with the call, such as Google's signature of a thought. */
  extra_content?: unknown;
}

export interface ToolResultBlock extends AnyBlock {
  type: 'tool_result';
  tool_use_id: string;
  content?: string | readonly ContentBlock[] | null;
  is_error?: boolean | null;
}

export interface ThinkingBlock {
  type: 'thinking';
  thinking: string;
  signature?: string | null;
}

export interface RedactedThinkingBlock {
  type: 'redacted_thinking';
  data: string;
}

export interface Base64Source {
  type: 'base64';
  media_type: string;
  data: string;
}

export interface UrlSource {
  type: 'url';
  url: string;
}

export interface FileSource {
  type: 'file';
  file_id: string;
}

export interface TextSource {
  type: 'text';
  data: string;
}

export interface ContentSource {
  type: 'content';
  content: string | readonly (TextBlock | ImageBlock)[];
}

export interface ToolParam extends AnyBlock {
  /** Absent or `custom`: one of the caller's own. Others are Anthropic's. */
  type?: string | null;
  name: string;
  description?: string | null;
  input_schema: Readonly<Record<string, unknown>>;
  strict?: boolean | null;
  readonly [member: string]: unknown;
}

export interface ToolChoice {
  type: 'auto' | 'any' | 'tool' | 'none';
  name?: string;
  disable_parallel_tool_use?: boolean | null;
}

export interface Thinking {
  type: 'enabled' | 'disabled' | 'adaptive' | 'between_tools';
  budget_tokens?: number;
  display?: string | null;
}

export interface OutputFormat {
  type: 'json_schema';
  schema: Readonly<Record<string, unknown>>;
}
