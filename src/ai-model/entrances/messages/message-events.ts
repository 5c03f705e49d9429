/** Anthropic's shapes of an answer, with the members of theirs that the hub has no use for as null. */

export interface TextContent {
  type: 'text';
  text: string;
  citations: null;
}

export interface ThinkingContent {
  type: 'thinking';
  thinking: string;
  signature: string;
}

export interface RedactedThinkingContent {
  type: 'redacted_thinking';
  data: string;
}

export interface ToolUseContent {
  type: 'tool_use';
  id: string;
  name: string;
  input: unknown;
  caller: { type: 'direct' };
  /** The hub's own: to be sent back with the call, which clients do that keep a block as it is. */
  extra_content?: unknown;
}

export type Content = TextContent | ThinkingContent | RedactedThinkingContent | ToolUseContent;

export type Delta =
  | { type: 'text_delta'; text: string }
  | { type: 'thinking_delta'; thinking: string }
  | { type: 'signature_delta'; signature: string }
  | { type: 'input_json_delta'; partial_json: string };

export type StopReason = 'end_turn' | 'max_tokens' | 'stop_sequence' | 'tool_use' | 'refusal';

export interface Stop {
  stop_reason: StopReason | null;
  stop_sequence: string | null;
  stop_details: { type: 'refusal'; category: null; explanation: null } | null;
}

export interface DeltaUsage {
  /** Without those that a cache gave or took. */
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
  output_tokens_details: { thinking_tokens: number } | null;
  server_tool_use: null;
}

export interface Usage extends DeltaUsage {
  cache_creation: null;
  inference_geo: null;
  service_tier: null;
  speed: null;
}

export interface Message extends Stop {
  id: string;
  type: 'message';
  role: 'assistant';
  /** What the caller asked for, by his name of it. */
  model: string;
  content: Content[];
  container: null;
  diagnostics: null;
  usage: Usage;
}

export type MessageEvent =
  | { type: 'message_start'; message: Message }
  | { type: 'content_block_start'; index: number; content_block: Content }
  | { type: 'content_block_delta'; index: number; delta: Delta }
  | { type: 'content_block_stop'; index: number }
  | { type: 'message_delta'; delta: Stop & { container: null }; usage: DeltaUsage }
  | { type: 'message_stop' };

/** Takes the events of an answer, in order. */
export type Say = (event: MessageEvent) => void;
