import type { ServerResponse } from 'node:http';
import type { Json } from './calls.js';
import { sendJson, type Script } from './fake-provider.js';

export const GEMINI_USAGE = { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 };

/** An answer of generateContent, or a piece of a stream. */
export const aCandidate = (parts: Json[], fields: Json = {}, usage: Json = GEMINI_USAGE): Json => ({
  candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0, ...fields }],
  usageMetadata: usage,
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r-1',
});

export const text = (content: string, fields: Json = {}): Json => ({ text: content, ...fields });

/** Google's error body. */
export const googleError = (code: number, status: string, message: string, ...details: Json[]): Json => ({
  error: { code, status, message, details },
});

export const geminiEvent = (data: Json, end = '\r\n\r\n'): string => `data: ${JSON.stringify(data)}${end}`;

/** Sends the pieces as an event stream, one after the other. */
export const sendGeminiStream = (response: ServerResponse, ...pieces: string[]): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const piece of pieces) response.write(piece);
  response.end();
};

const unfinished = (content: string): Json => aCandidate([text(content)], { finishReason: undefined });

export const streamedHello = (end?: string): string[] => [
  geminiEvent(unfinished('Hel'), end),
  geminiEvent(aCandidate([text('lo')]), end),
];

/** Answers whole or streamed, as the path asks. */
export const politeGemini: Script = (call, response) => {
  if (call.path.includes(':streamGenerateContent')) return sendGeminiStream(response, ...streamedHello());
  sendJson(response, 200, aCandidate([text('Hello')]));
};
