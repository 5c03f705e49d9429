import { isPlainObject } from '../../../contract/fields.js';
import { isGiven } from '../given.js';

/** A piece of an answer, out of a message or a delta of OpenAI's chat format. */
export type Piece = ThoughtPiece | RedactedPiece | TextPiece | CallPiece;

export interface ThoughtPiece {
  kind: 'thought';
  text: string;
  signature: string;
  /** Out of `reasoning_details`; else out of `reasoning_content` or the like. */
  isDetail: boolean;
  /** Tells the steps of a train of thought apart, where the provider does. */
  index: unknown;
}

export interface RedactedPiece {
  kind: 'redacted';
  data: string;
}

export interface TextPiece {
  kind: 'text';
  text: string;
}

export interface CallPiece {
  kind: 'call';
  index: number;
  /** '' where this piece does not tell it. */
  id: string;
  name: string;
  json: string;
  extra: unknown;
}

type Members = Readonly<Record<string, unknown>>;

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');
const objectsIn = (value: unknown): Members[] => (Array.isArray(value) ? value.filter(isPlainObject) : []);

/** The pieces of a message or a delta, in the order in which a model makes them. */
export const piecesOf = (said: Members): Piece[] => [
  ...thoughtsOf(said),
  ...contentOf(said['content']),
  ...textPieces(textIn(said['refusal'])),
  ...objectsIn(said['tool_calls']).map(toCallPiece),
];

/** Servers that give details often repeat them as plain text, under one of two names. */
const thoughtsOf = (said: Members): Piece[] => {
  const detailed = objectsIn(said['reasoning_details']).flatMap(toThought);
  if (detailed.some((piece) => piece.kind === 'thought' && piece.text !== '')) return detailed;
  const text = textIn(said['reasoning_content']) || textIn(said['reasoning']);
  return [...thoughtPieces(text), ...detailed];
};

const toThought = (detail: Members): Piece[] => {
  if (detail['type'] === 'reasoning.encrypted') {
    const data = textIn(detail['data']);
    return data === '' ? [] : [{ kind: 'redacted', data }];
  }
  const text = textIn(detail['text']) || textIn(detail['summary']);
  const signature = textIn(detail['signature']);
  return text === '' && signature === ''
    ? []
    : [{ kind: 'thought', text, signature, isDetail: true, index: detail['index'] }];
};

const thoughtPieces = (text: string): ThoughtPiece[] =>
  text === '' ? [] : [{ kind: 'thought', text, signature: '', isDetail: false, index: undefined }];

const textPieces = (text: string): TextPiece[] => (text === '' ? [] : [{ kind: 'text', text }]);

/** Mistral's reasoning models answer with a list of parts. */
const contentOf = (content: unknown): Piece[] =>
  typeof content === 'string' ? textPieces(content) : objectsIn(content).flatMap(toContentPiece);

const toContentPiece = (part: Members): Piece[] => {
  if (part['type'] !== 'thinking') return textPieces(textIn(part['text']));
  const { thinking } = part;
  const texts = objectsIn(thinking).map(({ text }) => textIn(text));
  return thoughtPieces(typeof thinking === 'string' ? thinking : texts.join(''));
};

const toCallPiece = (call: Members, position: number): CallPiece => {
  const called = isPlainObject(call['function']) ? call['function'] : {};
  const { arguments: json } = called;
  return {
    kind: 'call',
    index: typeof call['index'] === 'number' ? call['index'] : position,
    id: textIn(call['id']),
    name: textIn(called['name']),
    // Some servers do not write it as text.
    json: isPlainObject(json) ? JSON.stringify(json) : textIn(json),
    extra: isGiven(call['extra_content']) ? call['extra_content'] : undefined,
  };
};
