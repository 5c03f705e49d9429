import { CONSOLE_HEADERS } from '../../api/client';
import { failureOf } from '../../api/failure';

export interface ChatRequest {
  model: string;
  messages: object[];
  temperature?: number;
  max_tokens?: number;
  system_prompt?: { name: string; label?: string };
}

/** What a streamed answer tells, in turn. */
export interface ChatEvents {
  onText: (text: string) => void;
  onUsage: (usage: { prompt_tokens: number; completion_tokens: number }) => void;
}

interface Chunk {
  choices?: { delta?: { content?: string | null } }[];
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
  error?: { message?: string };
}

const tell = (data: string, events: ChatEvents): void => {
  if (data === '[DONE]') return;
  const chunk = JSON.parse(data) as Chunk;
  if (chunk.error) throw new Error(chunk.error.message);
  const text = chunk.choices?.[0]?.delta?.content;
  if (text) events.onText(text);
  if (chunk.usage) events.onUsage(chunk.usage);
};

/** The events that are complete in what has come so far, and the rest. */
const splitEvents = (text: string): { events: string[]; rest: string } => {
  const parts = text.split(/\r?\n\r?\n/);
  return { rest: parts.pop() ?? '', events: parts };
};

const dataOf = (event: string): string =>
  event
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trimStart())
    .join('\n');

/** Calls a model as any client does, counted as the playground's. Throws an ApiFailure, or what the stream says. */
export const streamChat = async (request: ChatRequest, events: ChatEvents, signal: AbortSignal): Promise<Headers> => {
  const response = await fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { ...CONSOLE_HEADERS, 'content-type': 'application/json', 'x-hub-source': 'playground' },
    body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  if (!response.ok || !response.body) throw await failureOf(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return response.headers;
    const split = splitEvents(rest + value);
    rest = split.rest;
    for (const event of split.events) {
      const data = dataOf(event);
      if (data) tell(data, events);
    }
  }
};
