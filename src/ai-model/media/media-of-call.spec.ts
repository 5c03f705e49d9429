import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aSnapshotModel } from '../../../test/factories/snapshot-model.js';
import {
  aChatWith,
  audioPart,
  base64Of,
  dataUrlOf,
  filePart,
  imagePart,
  type MediaServer,
  receivedParts,
  SAMPLES,
  startMediaServer,
  videoPart,
} from '../../../test/support/media.js';
import { PROVIDERS, type Provider } from '../../contract/providers.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { parsePrivateOrigins } from '../../platform/http/outbound/private-origins.js';
import { bodyOf, type IncomingCall } from '../calls/incoming-call.js';
import { MediaFetcher, type FetchingCall } from './media-fetcher.js';
import { MediaOfCall } from './media-of-call.js';
import { MediaPolicy } from './media-policy.js';
import { PassedOnCheck } from './passed-on-check.js';
import { readAttachments } from './read-attachments.js';

let server: MediaServer;
let policy: MediaPolicy;
let fetcher: MediaFetcher;
beforeAll(async () => {
  server = await startMediaServer();
  policy = new MediaPolicy(parsePrivateOrigins(server.url), () => null);
  fetcher = new MediaFetcher(policy);
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => Promise.all([server.close(), fetcher.close()]));

type Part = Record<string, unknown>;

const signal = new AbortController().signal;
const call: FetchingCall = Object.assign(signal, { remainingMilliseconds: 10_000 });

const incomingWith = (part: Part): IncomingCall => {
  const parameters = aChatWith('any', part);
  const unused = { operation: 'chat', alias: 'any', stream: false, isTranslated: false } as const;
  return { ...unused, ...bodyOf(parameters), parameters, wantsUsage: false, prompt: null, ignored: [] };
};

/** The part as this provider gets it, or the code it is refused with. */
const outcome = async (provider: Provider, part: Part, fields: Partial<SnapshotModel> = {}): Promise<unknown> => {
  const all = { supports_images: true, supports_files: true, supports_audio: true, supports_videos: true };
  const model = aSnapshotModel({ provider, ...all, ...fields });
  const incoming = incomingWith(part);
  const attachments = readAttachments(incoming.parameters['messages'] as unknown[], policy);
  const tools = { directory: { models: () => [] }, fetcher, passedOn: new PassedOnCheck(policy) };
  try {
    const fitted = await new MediaOfCall(attachments, incoming, tools).fit(incoming, model, call);
    expect(JSON.parse(fitted.body.toString())).toEqual(fitted.parameters);
    return receivedParts(fitted.parameters)[0];
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
};

const at = (name: string): string => `${server.url}/file.${name}`;

interface Input {
  part: () => Part;
  /** With the content in it, in OpenAI's form. */
  inline: () => Part;
}
const same = (part: () => Part): Input => ({ part, inline: part });

const INPUTS: Record<string, Input> = {
  'image data': same(() => imagePart(dataUrlOf('png'))),
  'image URL': { part: () => imagePart(at('png')), inline: () => imagePart(dataUrlOf('png')) },
  'PDF data': same(() => filePart({ filename: 'a.pdf', file_data: dataUrlOf('pdf') })),
  'PDF URL': {
    part: () => filePart({ file_url: at('pdf') }),
    inline: () => filePart({ filename: 'file.pdf', file_data: dataUrlOf('pdf') }),
  },
  'text data': same(() => filePart({ filename: 'a.txt', file_data: dataUrlOf('txt') })),
  'text URL': {
    part: () => filePart({ file_url: at('txt'), filename: 'a.txt' }),
    inline: () => filePart({ filename: 'a.txt', file_data: dataUrlOf('txt') }),
  },
  'docx data': same(() => filePart({ filename: 'a.docx', file_data: dataUrlOf('docx') })),
  'audio data': same(() => audioPart('wav')),
  'audio URL': { part: () => ({ type: 'audio_url', audio_url: { url: at('mp3') } }), inline: () => audioPart('mp3') },
  'video data': same(() => videoPart(dataUrlOf('mp4'))),
  'video URL': { part: () => videoPart(at('mp4')), inline: () => videoPart(dataUrlOf('mp4')) },
};

const text = { type: 'text', text: `a.txt:\n\n${SAMPLES.txt.toString()}` };
const document = (document_url: string, name?: string): Part => ({
  type: 'document_url',
  document_url,
  ...(name && { document_name: name }),
});

/** `=` as sent, `i` inline, `t` as text, `x` refused, `d` Mistral's part for documents. */
const TABLE: Record<Provider, string> = {
  //                 image   PDF     text    docx  audio   video
  //                 d  U    d  U    d  U    d     d  U    d  U
  openai: '            =  =    =  i    t  t    =     =  i    x  x',
  azure_openai: '      =  =    =  i    t  t    =     =  i    x  x',
  huggingface: '       =  =    =  i    t  t    =     =  =    =  =',
  openai_compatible: ' =  =    =  i    t  t    =     =  =    =  =',
  local: '             =  i    x  x    t  t    x     =  i    =  i',
  claude: '            =  =    =  =    =  i    x     x  x    x  x',
  gemini: '            =  i    =  i    =  i    x     =  i    =  i',
  google_vertex: '     =  i    =  i    =  i    x     =  i    =  i',
  mistral: '           =  =    d  d    t  t    x     =  i    x  x',
  groq: '              =  =    x  x    t  t    x     x  x    x  x',
  xai: '               =  =    x  x    t  t    x     x  x    x  x',
  deepseek: '          x  x    x  x    t  t    x     x  x    x  x',
  cohere: '            =  =    x  x    t  t    x     x  x    x  x',
  amazon_bedrock: '    =  i    =  i    =  i    =     x  x    x  x',
};

const expectedOf = (cell: string, { part, inline }: Input): unknown => {
  if (cell === '=') return part();
  if (cell === 'i') return inline();
  if (cell === 't') return text;
  if (cell === 'x') return 'modality_not_supported';
  const { file_url: url, file_data: data, filename } = part()['file'] as Record<string, string>;
  return document(String(url ?? data), filename);
};

describe('input kind by provider', () => {
  const rows = PROVIDERS.flatMap((provider) => {
    const cells = TABLE[provider].trim().split(/\s+/);
    expect(cells).toHaveLength(Object.keys(INPUTS).length);
    return Object.keys(INPUTS).map((name, index) => [name, provider, String(cells[index])] as const);
  });
  it.each(rows)('%s to %s: %s', async (name, provider, cell) => {
    const input = INPUTS[name]!;
    expect(await outcome(provider, input.part())).toEqual(expectedOf(cell, input));
    const isFetched = name.endsWith('URL') && (cell === 'i' || cell === 't');
    expect(server.requests).toHaveLength(isFetched ? 1 : 0);
  });
});

describe('a part of another form than the provider knows', () => {
  it.each<[string, Provider, () => Part, () => Part]>([
    [
      'an image in a file',
      'openai',
      () => filePart({ file_data: dataUrlOf('png') }),
      () => imagePart(dataUrlOf('png')),
    ],
    [
      'a PDF in an image',
      'openai',
      () => imagePart(dataUrlOf('pdf')),
      () => filePart({ filename: 'file.pdf', file_data: dataUrlOf('pdf') }),
    ],
    ['a sound in a file', 'gemini', () => filePart({ file_data: dataUrlOf('mp3') }), () => audioPart('mp3')],
    ['a video in an image', 'gemini', () => imagePart(dataUrlOf('mp4')), () => videoPart(dataUrlOf('mp4'))],
    [
      'a sound by data URL',
      'local',
      () => ({ type: 'audio_url', audio_url: { url: dataUrlOf('wav') } }),
      () => audioPart('wav'),
    ],
    [
      'an image as bare text',
      'local',
      () => ({ type: 'image_url', image_url: at('png') }),
      () => imagePart(dataUrlOf('png')),
    ],
    [
      "llama.cpp's video by address",
      'local',
      () => ({ type: 'input_video', input_video: { url: at('mp4') } }),
      () => ({ type: 'input_video', input_video: { data: base64Of('mp4') } }),
    ],
    [
      "llama.cpp's sound by address",
      'local',
      () => ({ type: 'input_audio', input_audio: { url: at('mp3') } }),
      () => audioPart('mp3'),
    ],
    [
      'a PDF under url',
      'claude',
      () => filePart({ url: 'https://example.com/a.pdf' }),
      () => filePart({ file_url: 'https://example.com/a.pdf' }),
    ],
    [
      'an image by address in a file',
      'openai',
      () => filePart({ file_url: 'https://example.com/a.png' }),
      () => imagePart('https://example.com/a.png'),
    ],
    [
      'a table of text',
      'claude',
      () => filePart({ filename: 'a.csv', file_data: `data:text/csv;base64,YSxi` }),
      () => filePart({ filename: 'a.csv', file_data: 'data:text/plain;base64,YSxi' }),
    ],
    ['a wrong type', 'claude', () => imagePart(dataUrlOf('jpeg', 'image/png')), () => imagePart(dataUrlOf('jpeg'))],
    [
      'a type in another spelling',
      'claude',
      () => imagePart(dataUrlOf('jpeg', 'image/jpg')),
      () => imagePart(dataUrlOf('jpeg')),
    ],
    [
      'a file that says nothing of itself',
      'openai',
      () => filePart({ file_data: dataUrlOf('txt', 'application/octet-stream') }),
      () => ({ type: 'text', text: SAMPLES.txt.toString() }),
    ],
    ['a wrong format', 'openai', () => audioPart('mp3', 'wav'), () => audioPart('mp3')],
    [
      'marks beside it',
      'local',
      () => ({ ...imagePart(at('png')), cache_control: { type: 'ephemeral' } }),
      () => ({ ...imagePart(dataUrlOf('png')), cache_control: { type: 'ephemeral' } }),
    ],
  ])('%s is put so that %s takes it', async (_name, provider, part, expected) => {
    expect(await outcome(provider, part())).toEqual(expected());
  });

  it.each([
    'https://www.youtube.com/watch?v=abc',
    'https://youtu.be/abc',
    'https://generativelanguage.googleapis.com/v1beta/files/x',
  ])('Gemini gets %s as it is', async (url) => expect(await outcome('gemini', videoPart(url))).toEqual(videoPart(url)));

  it('a file_id goes to those alone who gave it', async () => {
    const part = filePart({ file_id: 'file-1' });
    expect([await outcome('openai', part), await outcome('claude', part)]).toEqual([part, 'modality_not_supported']);
  });
});

it('what is fetched of a type that the list leaves out is refused once that is known', async () => {
  expect(await outcome('local', imagePart(at('png')), { supported_file_types: ['image/jpeg'] })).toBe(
    'modality_not_supported',
  );
  expect(server.requests).toHaveLength(0);
  const unknown = await startMediaServer((_request, response) => Boolean(response.end(SAMPLES.png)));
  const listed = new MediaPolicy(parsePrivateOrigins(unknown.url), () => null);
  policy = listed;
  fetcher = new MediaFetcher(listed);
  expect(await outcome('local', imagePart(`${unknown.url}/x`), { supported_file_types: ['image/jpeg'] })).toBe(
    'modality_not_supported',
  );
  expect(unknown.requests).toHaveLength(1);
  await unknown.close();
});
