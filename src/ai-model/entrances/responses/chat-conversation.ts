import type { ChatPart } from './content-parts.js';
import { joinDetails, type ReasoningDetail } from './reasoning-details.js';

/** A message of OpenAI's chat format. */
export type ChatMessage = Readonly<Record<string, unknown>>;

interface Turn {
  parts: ChatPart[];
  calls: ChatMessage[];
  details: ReasoningDetail[];
}

/**
 * Puts messages of OpenAI's chat format together. Thoughts, words and calls of one turn of the assistant are items of
 * their own in a Responses request, and one message here.
 */
export class ChatConversation {
  private readonly messages: ChatMessage[] = [];
  private readonly callIds = new Set<string>();
  private turn: Turn | null = null;
  /** Pictures and files that tools gave back: a chat's tool messages hold text alone. */
  private attachments: ChatPart[] = [];

  say(role: 'user' | 'system', parts: readonly ChatPart[]): void {
    this.endTurn();
    this.endResults();
    this.messages.push({ role, content: contentOf(parts) });
  }

  think(details: readonly ReasoningDetail[]): void {
    this.openTurn().details.push(...details);
  }

  answer(parts: readonly ChatPart[]): void {
    this.openTurn().parts.push(...parts);
  }

  call(call: ChatMessage): void {
    this.callIds.add(String(call['id']));
    this.openTurn().calls.push(call);
  }

  hasCalled(id: string): boolean {
    return this.callIds.has(id);
  }

  result(id: string, parts: readonly ChatPart[]): void {
    this.endTurn();
    const texts = parts.filter(({ type }) => type === 'text');
    const media = parts.filter(({ type }) => type !== 'text');
    if (media.length > 0) this.attachments.push({ type: 'text', text: `Output of the tool call ${id}:` }, ...media);
    const content = media.length > 0 && texts.length === 0 ? 'See the attachments below.' : contentOf(texts);
    this.messages.push({ role: 'tool', tool_call_id: id, content });
  }

  end(): ChatMessage[] {
    this.endTurn();
    this.endResults();
    return this.messages;
  }

  private openTurn(): Turn {
    this.endResults();
    return (this.turn ??= { parts: [], calls: [], details: [] });
  }

  /** Thoughts that led to nothing are no message. */
  private endTurn(): void {
    if (this.turn === null) return;
    const { parts, calls, details } = this.turn;
    this.turn = null;
    if (parts.length === 0 && calls.length === 0) return;
    this.messages.push({
      role: 'assistant',
      content: parts.length === 0 ? null : contentOf(parts),
      ...(calls.length > 0 && { tool_calls: calls }),
      ...(details.length > 0 && { reasoning_details: joinDetails(details) }),
    });
  }

  /** Behind the last of the tool messages, since nothing may stand between them. */
  private endResults(): void {
    if (this.attachments.length === 0) return;
    this.messages.push({ role: 'user', content: this.attachments });
    this.attachments = [];
  }
}

/** A single text is written as text, which every server reads. */
const contentOf = (parts: readonly ChatPart[]): string | readonly ChatPart[] => {
  const [first, ...others] = parts;
  const isPlain = first?.type === 'text' && others.length === 0 && Object.keys(first).length === 2;
  if (isPlain) return String(first['text']);
  return parts.length === 0 ? '' : parts;
};
