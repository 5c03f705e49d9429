import type { Answer, Json } from './calls.js';

/** The parsed chunks of a stream, errors included, `[DONE]` not. */
export const chunksOf = (text: string): Json[] =>
  text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as Json);

const deltasOf = (text: string): Json[] =>
  chunksOf(text).flatMap(({ choices }) => ((choices ?? []) as Json[]).map(({ delta }) => (delta ?? {}) as Json));

/** The text of a stream. */
export const contentOf = (text: string): string =>
  deltasOf(text)
    .map(({ content }) => (typeof content === 'string' ? content : ''))
    .join('');

/** The thoughts of a stream. */
export const reasoningOf = (text: string): string =>
  deltasOf(text)
    .map(({ reasoning_content: thought }) => (typeof thought === 'string' ? thought : ''))
    .join('');

interface ToolCall {
  index: number;
  id?: string;
  function: { name?: string; arguments: string };
}

/** The tool calls of a stream, put together as a client does. */
export const toolCallsOf = (text: string): Json[] => {
  const calls: (Json & { function: Json })[] = [];
  for (const { index, ...piece } of deltasOf(text).flatMap(({ tool_calls: list }) => (list ?? []) as ToolCall[])) {
    const known = calls[index];
    if (known) known.function['arguments'] = `${String(known.function['arguments'])}${piece.function.arguments}`;
    else calls[index] = { ...piece, function: { ...piece.function } };
  }
  return calls;
};

/** The usage of a stream: of the chunk without choices. */
export const usageIn = (text: string): unknown =>
  chunksOf(text).find(({ choices }) => (choices as Json[]).length === 0)?.['usage'];

/** The message of a whole answer. */
export const messageOf = ({ json }: Pick<Answer, 'json'>): Json =>
  ((json['choices'] as Json[])[0]?.['message'] ?? {}) as Json;

/** Why an answer ended, whole or streamed. */
export const finishOf = ({ json, text }: Pick<Answer, 'json' | 'text'>): unknown => {
  const answers = 'choices' in json ? [json] : chunksOf(text);
  return answers
    .flatMap(({ choices }) => (choices ?? []) as Json[])
    .map(({ finish_reason: reason }) => reason)
    .findLast((reason) => typeof reason === 'string');
};
