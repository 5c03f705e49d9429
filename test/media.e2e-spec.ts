import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Provider } from '../src/contract/providers.js';
import { aChat, call, saveModel, until, type Answer, type Json } from './support/calls.js';
import { politeScript, sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
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
} from './support/media.js';
import { savePrompt } from './support/prompts.js';

const EVERYTHING = { supports_images: true, supports_files: true, supports_audio: true, supports_videos: true };

let hub: TestHub;
let provider: FakeProvider;
let server: MediaServer;
beforeAll(async () => {
  [hub, provider, server] = await Promise.all([startHub(), startFakeProvider(), startMediaServer()]);
});
beforeEach(() => {
  provider.calls.length = 0;
  provider.answerWith(politeScript);
  server.requests.length = 0;
});
afterAll(() => Promise.all([hub.close(), provider.close(), server.close()]));

const modelOf = (kind: Provider, fields: Json = {}): Promise<Json> =>
  saveModel(hub, { provider: kind, api_base: provider.url, is_local: kind === 'local', ...EVERYTHING, ...fields });
const aliasOf = async (kind: Provider, fields: Json = {}): Promise<string> =>
  String((await modelOf(kind, fields))['alias']);
const sent = (): unknown[] => receivedParts(provider.calls.at(-1)?.body);
const told = ({ status, error }: Answer): unknown[] => [status, error['code'], error['param']];

const IMAGE_FIELD = 'messages[0].content[1].image_url.url';
const FILE_FIELD = 'messages[0].content[1].file.file_data';

describe('a call with an image to a model that takes text alone', () => {
  it('reaches no provider, neither this one nor a fallback, and names who can', async () => {
    const able = await aliasOf('openai', { priority: 900 });
    const abler = await aliasOf('claude', { priority: 901 });
    await aliasOf('openai', { priority: 902, is_enabled: false });
    await aliasOf('openai', { priority: 903, api_key: null });
    await aliasOf('deepseek', { priority: 904 });
    await aliasOf('openai', { priority: 905, supported_file_types: ['image/gif'] });
    const alias = await aliasOf('openai', { supports_images: false, fallback_aliases: [able] });
    const answer = await call(hub, aChatWith(alias, imagePart(dataUrlOf('png'))));
    expect(told(answer)).toEqual([422, 'modality_not_supported', IMAGE_FIELD]);
    const message = String(answer.error['message']);
    expect(message).toMatch(new RegExp(`^${IMAGE_FIELD.replace(/[[\]]/g, '\\$&')}: ${alias} takes no images`));
    const named = message.replace(/^.*all of it: |\.$/g, '').split(', ');
    expect(named.slice(0, 2)).toEqual([abler, able]);
    expect(named.length).toBeLessThanOrEqual(10);
    expect(provider.calls).toEqual([]);
  });

  it('names no more than ten', async () => {
    for (let count = 0; count < 11; count += 1) await aliasOf('openai', { priority: 1000 + count });
    const answer = await call(hub, aChatWith(await aliasOf('groq'), audioPart('wav')));
    expect(String(answer.error['message']).split('all of it: ')[1]?.split(', ')).toHaveLength(10);
  });

  it('is passed by for a fallback that can take it, when the first fails', async () => {
    const able = await aliasOf('openai_compatible');
    const unable = await aliasOf('openai_compatible', { supports_images: false });
    const alias = await aliasOf('openai_compatible', { fallback_aliases: [unable, able] });
    let asked = 0;
    provider.answerWith((received, response) =>
      (asked += 1) === 1 ? sendJson(response, 500, { error: { message: 'No' } }) : politeScript(received, response),
    );
    const answer = await call(hub, aChatWith(alias, imagePart(dataUrlOf('png'))));
    expect([answer.status, answer.headers['x-hub-model'], provider.calls.length]).toEqual([200, able, 2]);
  });
});

describe('auto', () => {
  it('picks a model that takes all attachments, or says that there is none', async () => {
    const alias = await aliasOf('openai_compatible', { priority: 10_000, supports_videos: false });
    const other = await aliasOf('openai_compatible', { priority: 9_000 });
    const pickFor = (part: Json, expected: string): Promise<Answer> =>
      until(
        () => call(hub, aChatWith('auto', part)),
        ({ headers }) => headers['x-hub-model'] === expected,
      );
    await pickFor(videoPart(dataUrlOf('mp4')), other);
    await pickFor(imagePart(dataUrlOf('png')), alias);
  });
});

describe('a malformed part', () => {
  const field = 'messages[0].content[1]';
  it.each([
    [
      'base64 with data: in front',
      { type: 'input_audio', input_audio: { data: dataUrlOf('wav'), format: 'wav' } },
      '.input_audio.data',
    ],
    ['broken base64', { type: 'input_audio', input_audio: { data: 'UklGR!==', format: 'wav' } }, '.input_audio.data'],
    [
      'base64 without padding',
      { type: 'input_audio', input_audio: { data: 'UklGRg', format: 'wav' } },
      '.input_audio.data',
    ],
    ['a sound without format', { type: 'input_audio', input_audio: { data: base64Of('wav') } }, '.input_audio.format'],
    ['a sound that is an image', audioPart('png', 'wav'), '.input_audio.data'],
    ['no sound', { type: 'input_audio' }, '.input_audio'],
    ['a broken data URL', imagePart('data:image/png;base64,iVBOR'), '.image_url.url'],
    ['a data URL that is not base64', imagePart('data:image/png,hello'), '.image_url.url'],
    ['a data URL without content', imagePart('data:image/png;base64,'), '.image_url.url'],
    ['a data URL as the bare address', { type: 'image_url', image_url: 'data:;base64' }, '.image_url'],
    ['a name in place of an address', imagePart('cat.png'), '.image_url.url'],
    ['an image without an address', { type: 'image_url', image_url: {} }, '.image_url.url'],
    ['a file that is bare base64', filePart({ file_data: base64Of('pdf') }), '.file.file_data'],
    ['a file without anything', filePart({ filename: 'a.pdf' }), '.file.file_id'],
    ['a file that is text in no UTF-8', filePart({ file_data: 'data:text/plain;base64,R3L838U=' }), '.file.file_data'],
    ['an unknown part', { type: 'hologram', hologram: {} }, '.type'],
    ['a text that is none', { type: 'text', text: 5 }, '.text'],
  ])('with %s is 400 and names the field, and nothing is sent', async (_name, part, at) => {
    const answer = await call(hub, aChatWith(await aliasOf('openai'), part));
    expect(told(answer)).toEqual([400, 'validation_failed', field + at]);
    expect(String(answer.error['message'])).toContain(field + at);
    expect(provider.calls).toEqual([]);
  });

  it('is named by the place it has in the request, whatever prompt is put before it', async () => {
    const prompt = await savePrompt(hub, { labels: { production: 1 } });
    const alias = await aliasOf('openai', { system_prompt_name: prompt['name'] });
    expect(told(await call(hub, aChatWith(alias, imagePart('data:x'))))).toEqual([
      400,
      'validation_failed',
      IMAGE_FIELD,
    ]);
    const answer = await call(hub, aChatWith(alias, filePart({ file_data: dataUrlOf('txt') })));
    expect([answer.status, sent()]).toEqual([200, [{ type: 'text', text: SAMPLES.txt.toString() }]]);
  });

  it('is also more than 32 attachments', async () => {
    const parts = Array(33).fill(imagePart(dataUrlOf('png')));
    expect(told(await call(hub, aChatWith(await aliasOf('openai'), ...parts)))).toEqual([
      400,
      'validation_failed',
      'messages',
    ]);
    expect((await call(hub, aChatWith(await aliasOf('openai'), ...parts.slice(1)))).status).toBe(200);
  });
});

describe('what a part is', () => {
  it.each([
    ['a video in a file', filePart({ file_data: dataUrlOf('mp4'), filename: 'a.mp4' }), FILE_FIELD, 'supports_videos'],
    ['a video in an image', imagePart(dataUrlOf('mp4')), IMAGE_FIELD, 'supports_videos'],
    ['a video that says it is an image', imagePart(dataUrlOf('mp4', 'image/png')), IMAGE_FIELD, 'supports_videos'],
    ['a sound in a file', filePart({ file_data: dataUrlOf('mp3') }), FILE_FIELD, 'supports_audio'],
    ['an image in a file', filePart({ file_data: dataUrlOf('png', 'application/pdf') }), FILE_FIELD, 'supports_images'],
    ['a PDF in an image', imagePart(dataUrlOf('pdf')), IMAGE_FIELD, 'supports_files'],
    ['a text file', filePart({ file_data: dataUrlOf('txt') }), FILE_FIELD, 'supports_files'],
  ])('%s: its bytes decide, and the flag holds', async (_name, part, field, flag) => {
    const able = await aliasOf('openai_compatible', { priority: 999_999 });
    const answer = await call(hub, aChatWith(await aliasOf('openai_compatible', { [flag]: false }), part));
    expect(told(answer)).toEqual([422, 'modality_not_supported', field]);
    const [before, named] = String(answer.error['message']).split(' Models that take all of it: ');
    expect(before).toContain(`(${flag}).`);
    expect(named?.slice(0, -1).split(', ')).toContain(able);
    expect(provider.calls).toEqual([]);
    expect((await call(hub, aChatWith(able, part))).status).toBe(200);
  });

  it.each([
    [['application/pdf'], filePart({ file_data: dataUrlOf('pdf') }), 200],
    [['application/pdf'], imagePart(dataUrlOf('png')), 200],
    [['application/pdf'], filePart({ file_data: dataUrlOf('txt') }), 422],
    [['image/png'], imagePart(dataUrlOf('png')), 200],
    [['image/png'], imagePart(dataUrlOf('jpeg')), 422],
    [['image/png'], imagePart(dataUrlOf('jpeg', 'image/png')), 422],
    [['image/png'], filePart({ file_data: dataUrlOf('pdf') }), 422],
    [['image/*', 'text/*'], filePart({ file_data: dataUrlOf('txt') }), 200],
    [['image/jpg'], imagePart(dataUrlOf('jpeg')), 200],
  ])('supported_file_types %j: %o is %i', async (list, part, status) => {
    const alias = await aliasOf('openai_compatible', { supported_file_types: list });
    const answer = await call(hub, aChatWith(alias, part));
    expect(answer.status).toBe(status);
    expect(provider.calls).toHaveLength(status === 200 ? 1 : 0);
  });

  it('max_file_size_mb counts bytes, not characters of base64', async () => {
    const alias = await aliasOf('openai_compatible', { max_file_size_mb: 1 });
    const ofBytes = (bytes: number): Json =>
      filePart({
        file_data: `data:application/pdf;base64,${Buffer.concat([SAMPLES.pdf, Buffer.alloc(bytes - SAMPLES.pdf.length)]).toString('base64')}`,
      });
    expect((await call(hub, aChatWith(alias, ofBytes(1_048_576)))).status).toBe(200);
    const answer = await call(hub, aChatWith(alias, ofBytes(1_048_577)));
    expect(told(answer)).toEqual([422, 'file_too_large', FILE_FIELD]);
    expect(String(answer.error['message'])).toContain(`${alias} takes at most 1 MB per attachment`);
    expect(provider.calls).toHaveLength(1);
  });
});

/** How each input arrives at a server that speaks OpenAI's format; the others are in src/ai-model/media. */
describe('inputs by provider', () => {
  const at = (name: string): string => `${server.url}/dir/file.${name}?signature=a%2Fb`;
  const inputs: Record<string, () => Json> = {
    'image, base64': () => imagePart(dataUrlOf('png')),
    'image, URL': () => imagePart(at('png')),
    'PDF, base64': () => filePart({ file_data: dataUrlOf('pdf'), filename: 'a.pdf' }),
    'PDF, URL': () => filePart({ file_url: at('pdf') }),
    'text, base64': () => filePart({ file_data: dataUrlOf('txt'), filename: 'a.txt' }),
    'text, URL': () => filePart({ file_url: at('txt') }),
    'sound, base64': () => audioPart('wav'),
    'sound, URL': () => ({ type: 'audio_url', audio_url: { url: at('mp3') } }),
    'video, base64': () => videoPart(dataUrlOf('mp4')),
    'video, URL': () => videoPart(at('mp4')),
  };
  const fetchedImage = imagePart(dataUrlOf('png'));
  const fetchedPdf = filePart({ filename: 'file.pdf', file_data: dataUrlOf('pdf') });
  const named = { type: 'text', text: `a.txt:\n\n${SAMPLES.txt.toString()}` };
  const unnamed = { type: 'text', text: SAMPLES.txt.toString() };
  const same = 'same';
  const columns = ['openai', 'huggingface', 'openai_compatible', 'local'] as const;
  it.each<[string, (typeof columns)[number], unknown]>(
    (
      [
        ['image, base64', same, same, same, same],
        ['image, URL', same, same, same, fetchedImage],
        ['PDF, base64', same, same, same, 422],
        ['PDF, URL', fetchedPdf, fetchedPdf, fetchedPdf, 422],
        ['text, base64', named, named, named, named],
        ['text, URL', unnamed, unnamed, unnamed, unnamed],
        ['sound, base64', same, same, same, same],
        ['sound, URL', audioPart('mp3'), same, same, audioPart('mp3')],
        ['video, base64', 422, same, same, same],
        ['video, URL', 422, same, same, videoPart(dataUrlOf('mp4'))],
      ] as [string, ...unknown[]][]
    ).flatMap(([input, ...cells]) => columns.map((kind, index) => [input, kind, cells[index]] as never)),
  )('%s to %s', async (input, kind, expected) => {
    const part = inputs[input]!();
    const body = aChatWith(await aliasOf(kind), part);
    const answer = await call(hub, body);
    if (expected === 422) {
      expect([answer.status, answer.error['code'], provider.calls, server.requests]).toEqual([
        422,
        'modality_not_supported',
        [],
        [],
      ]);
      return;
    }
    expect([answer.status, sent()]).toEqual([200, [expected === same ? part : expected]]);
    expect(server.requests.map(({ path }) => path)).toEqual(
      input.endsWith('URL') && expected !== same ? [expect.stringContaining('?signature=a%2Fb')] : [],
    );
  });

  it('leaves every byte as it was where the provider takes what was sent', async () => {
    const alias = await aliasOf('openai');
    const body = ` {"seed":12345678901234567890 , "messages":[ {"role":"user","content":[{"type":"image_url", "image_url":{"url":"${dataUrlOf('png')}","detail":"low"}}]}],"model":"real-model"}`;
    expect((await call(hub, body.replace('real-model', alias))).status).toBe(200);
    expect(provider.calls[0]?.raw.toString()).toBe(body);
  });

  it('changes nothing but messages where something must be put in another form', async () => {
    const alias = await aliasOf('local');
    const messages = `[{"role":"user","content":[{"type":"image_url","cache":1,"image_url":{"url":"${at('png')}","detail":"low"}}]}]`;
    const around = [` {"seed":12345678901234567890 , "messages":`, `,"invented":1.0,"model":"real-model"}`] as const;
    expect((await call(hub, around.join(messages).replace('real-model', alias))).status).toBe(200);
    const part = { cache: 1, type: 'image_url', image_url: { detail: 'low', url: dataUrlOf('png') } };
    expect(provider.calls[0]?.raw.toString()).toBe(around.join(JSON.stringify([{ role: 'user', content: [part] }])));
  });

  it('corrects a type that the bytes belie, since Anthropic and others refuse it', async () => {
    await call(hub, aChatWith(await aliasOf('openai'), imagePart(dataUrlOf('jpeg', 'image/png'))));
    expect(sent()).toEqual([imagePart(dataUrlOf('jpeg'))]);
  });

  it.each<[Provider, string, () => Json]>([
    ['claude', 'audio', () => audioPart('wav')],
    ['claude', 'videos', () => videoPart(dataUrlOf('mp4'))],
    ['claude', 'image/jpeg, image/png, image/gif, image/webp', () => imagePart('data:image/tiff;base64,AAAA')],
    ['gemini', 'no files of other types', () => filePart({ file_data: dataUrlOf('docx') })],
    ['deepseek', 'no images', () => imagePart(dataUrlOf('png'))],
    ['cohere', 'no PDF files', () => filePart({ file_data: dataUrlOf('pdf') })],
    ['amazon_bedrock', 'no videos', () => videoPart(dataUrlOf('mp4'))],
    ['openai', 'audio/wav, audio/mpeg', () => audioPart('flac')],
    ['xai', 'no file_id', () => filePart({ file_id: 'file-1' })],
  ])('%s is refused what its format has no place for: %s', async (kind, words, part) => {
    const answer = await call(hub, aChatWith(await aliasOf(kind), part()));
    expect([answer.status, answer.error['code']]).toEqual([422, 'modality_not_supported']);
    expect(String(answer.error['message'])).toContain(words);
    expect(provider.calls).toEqual([]);
  });

  it('reaches Anthropic as documents and images, by address where it was one', async () => {
    const parts = [filePart({ file_url: 'https://example.com/a.pdf' }), imagePart('https://example.com/a.png')];
    const inline = [filePart({ file_data: dataUrlOf('txt') }), imagePart(dataUrlOf('jpeg', 'image/png'))];
    await call(hub, aChatWith(await aliasOf('claude'), ...parts, ...inline));
    expect(sent()).toMatchObject([
      { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } },
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: SAMPLES.txt.toString() } },
      { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: base64Of('jpeg') } },
    ]);
  });

  it('reaches Gemini inline, wherever it was', async () => {
    const parts = [imagePart(at('png')), filePart({ file_url: at('pdf') }), audioPart('mp3'), videoPart(at('mp4'))];
    await call(hub, aChatWith(await aliasOf('gemini'), ...parts));
    const [content] = (provider.calls[0]?.body['contents'] ?? []) as { parts: unknown[] }[];
    expect(content?.parts.slice(1)).toEqual([
      { inlineData: { mimeType: 'image/png', data: base64Of('png') } },
      { inlineData: { mimeType: 'application/pdf', data: base64Of('pdf') } },
      { inlineData: { mimeType: 'audio/mpeg', data: base64Of('mp3') } },
      { inlineData: { mimeType: 'video/mp4', data: base64Of('mp4') } },
    ]);
  });

  it('refuses more than 20 MB in one call to Gemini', async () => {
    const half = `data:application/pdf;base64,${Buffer.concat([SAMPLES.pdf, Buffer.alloc(10.5 * 1_048_576)]).toString('base64')}`;
    const alias = await aliasOf('gemini');
    const parts = [filePart({ file_data: half }), filePart({ file_data: half })];
    const answer = await call(hub, aChatWith(alias, ...parts));
    expect(told(answer)).toEqual([422, 'file_too_large', 'messages']);
    expect(String(answer.error['message'])).toContain('at most 20 MB of attachments in one call');
  });

  it('sends a local server no GIF, remote or not, since Ollama takes none', async () => {
    const alias = await aliasOf('local');
    for (const url of [dataUrlOf('gif'), at('gif')]) {
      expect(told(await call(hub, aChatWith(alias, imagePart(url))))).toEqual([
        422,
        'modality_not_supported',
        IMAGE_FIELD,
      ]);
    }
    expect([provider.calls, server.requests]).toEqual([[], []]);
  });

  it('takes what a model said before as it is', async () => {
    const messages = [
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm', signature: 's' },
          { type: 'refusal', refusal: 'No' },
        ],
      },
      { role: 'user', content: null },
      { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: '1' }] },
    ];
    expect((await call(hub, aChat(await aliasOf('openai'), { messages }))).status).toBe(200);
    expect(provider.calls[0]?.body['messages']).toEqual(messages);
  });
});
