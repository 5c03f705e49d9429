import { request } from 'node:http';

export interface OpenStream {
  /** Everything that has arrived. */
  text(): string;
  close(): void;
}

/** A stream of server-sent events that is read until it is closed. */
export const openStream = (url: string, token: string): OpenStream => {
  let text = '';
  const asked = request(url, { agent: false, headers: { authorization: `Bearer ${token}` } }, (response) =>
    response.setEncoding('utf8').on('data', (piece: string) => (text += piece)),
  );
  asked.on('error', () => undefined);
  asked.end();
  return { text: () => text, close: () => void asked.destroy() };
};
