import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const padded = (...head: (string | number[])[]): Buffer =>
  Buffer.concat([...head.map((piece) => Buffer.from(piece as string)), Buffer.alloc(64)]);

/** The first bytes of files of these types, and nothing of sense behind them: enough to be told apart by. */
export const SAMPLES = {
  png: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
  jpeg: padded([0xff, 0xd8, 0xff, 0xe0, 0, 16], 'JFIF'),
  gif: padded('GIF89a'),
  webp: padded('RIFF', [64, 0, 0, 0], 'WEBPVP8 '),
  pdf: padded('%PDF-1.7\n'),
  wav: padded('RIFF', [64, 0, 0, 0], 'WAVEfmt '),
  mp3: padded([0xff, 0xfb, 0x90, 0x64]),
  flac: padded('fLaC'),
  mp4: padded([0, 0, 0, 0x18], 'ftypisom', [0, 0, 2, 0], 'isommp41'),
  txt: Buffer.from('Grüße, 世界\n'),
  docx: padded('PK', [3, 4, 20, 0]),
} as const;

const TYPES: Record<keyof typeof SAMPLES, string> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  flac: 'audio/flac',
  mp4: 'video/mp4',
  txt: 'text/plain',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
};

export type SampleName = keyof typeof SAMPLES;

export const base64Of = (name: SampleName): string => SAMPLES[name].toString('base64');

export const dataUrlOf = (name: SampleName, type = TYPES[name]): string => `data:${type};base64,${base64Of(name)}`;

type Part = Record<string, unknown>;

export const imagePart = (url: string): Part => ({ type: 'image_url', image_url: { url } });

export const filePart = (fields: Part): Part => ({ type: 'file', file: fields });

export const audioPart = (name: SampleName, format: string = name): Part => ({
  type: 'input_audio',
  input_audio: { data: base64Of(name), format },
});

export const videoPart = (url: string): Part => ({ type: 'video_url', video_url: { url } });

/** A chat whose one message has a text and these parts behind it. */
export const aChatWith = (alias: unknown, ...parts: unknown[]): Part => ({
  model: alias,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Look' }, ...parts] }],
});

/** The parts of the first message of a body that a provider received, the text left out. */
export const receivedParts = (body: Part | undefined): unknown[] =>
  ((body?.['messages'] as { content: unknown[] }[] | undefined)?.at(-1)?.content ?? []).slice(1);

export interface MediaServer {
  readonly url: string;
  readonly port: number;
  readonly requests: { path: string; headers: IncomingHttpHeaders }[];
  close(): Promise<void>;
}

/** Serves `/<anything>.<sample's name>` with its type, and whatever `script` answers first (it says so with true). */
export const startMediaServer = async (
  script: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<MediaServer> => {
  const requests: MediaServer['requests'] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', headers: request.headers });
    if (script(request, response)) return;
    const [, name] = /\.(\w+)(?:\?.*)?$/.exec(request.url ?? '') ?? [];
    const sample = SAMPLES[name as SampleName];
    if (sample) response.writeHead(200, { 'content-type': TYPES[name as SampleName] }).end(sample);
    else response.writeHead(404).end('no');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
