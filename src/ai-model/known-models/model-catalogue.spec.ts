import { Socket } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { ModelConfigCreate } from '../../contract/model-config.contract.js';
import { PROVIDERS } from '../../contract/providers.js';
import { loadMediaList, loadPricedModels, MEDIA_PACKAGE, PRICES_PACKAGE, versionOf } from './catalogue-packages.js';
import { ALL_SOURCES } from './catalogue-sources.js';
import { type KnownModel, ModelCatalogue } from './model-catalogue.js';
import { NO_FACTS } from './model-facts.js';

/** A provider of each kind, and hosts of the compatible ones. */
const LISTS: [provider: (typeof PROVIDERS)[number], apiBase: string | null][] = [
  ...PROVIDERS.map((provider): [(typeof PROVIDERS)[number], null] => [provider, null]),
  ['openai_compatible', 'https://api.deepseek.com/v1'],
  ['openai_compatible', 'https://api.groq.com/openai/v1'],
  ['openai_compatible', 'https://openrouter.ai/api/v1'],
  ['openai_compatible', 'https://api.mistral.ai/v1'],
  ['openai_compatible', 'https://api.together.xyz/v1'],
  ['openai_compatible', 'https://api.fireworks.ai/inference/v1'],
];

const namesOf = (models: KnownModel[]): string[] => models.map((model) => model.model_name);

describe('the catalogue of known models', () => {
  const catalogue = new ModelCatalogue();

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('reaches for nothing outside: its data is what was installed', async () => {
    const connect = jest.spyOn(Socket.prototype, 'connect');
    const fetch = jest.spyOn(globalThis, 'fetch');
    for (const [provider, apiBase] of LISTS) await catalogue.list(provider, apiBase);
    expect([connect.mock.calls, fetch.mock.calls]).toEqual([[], []]);
  });

  it.each(ALL_SOURCES.flatMap(({ prices }) => prices))('finds %s in the price list', async (provider) => {
    expect((await loadPricedModels(provider)).length).toBeGreaterThan(0);
  });

  it.each(ALL_SOURCES.flatMap(({ media }) => media ?? []))('finds %s among the media lists', async (file) => {
    expect((await loadMediaList(file)).size).toBeGreaterThan(0);
  });

  it.each(LISTS)(
    'lists models of %s at %s by name, each once, each as a config takes it',
    async (provider, apiBase) => {
      const models = await catalogue.list(provider, apiBase);
      const names = namesOf(models);
      expect(names).toEqual([...new Set(names)].sort());
      const problems = models.flatMap(({ model_name, facts }) => {
        const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null));
        const body = plainToInstance(ModelConfigCreate, { alias: 'a', provider, model_name, ...known });
        return validateSync(body).map((problem) => `${model_name}: ${String(problem)}`);
      });
      expect(problems).toEqual([]);
    },
  );

  it.each([
    ['local', null],
    ['openai_compatible', null],
    ['openai_compatible', 'https://models.example.com/v1'],
    ['openai_compatible', 'https://api.groq.com.example.com/v1'],
    ['openai_compatible', 'https://example.com/https://api.groq.com'],
    ['openai_compatible', 'http://127.0.0.1:8000/v1'],
    ['openai_compatible', 'no address'],
  ] as const)('knows nothing of %s at %s', async (provider, apiBase) => {
    expect(await catalogue.list(provider, apiBase)).toEqual([]);
    expect(await catalogue.find(provider, apiBase, 'gpt-4o')).toEqual(NO_FACTS);
  });

  it('takes prices from one package and media from the other', async () => {
    const models = await catalogue.list('openai', null);
    expect(models.find((model) => model.model_name === 'gpt-4o')?.facts).toEqual({
      display_name: 'gpt 4o',
      context_window: 128_000,
      max_tokens: 16_384,
      input_price_per_million: 2.5,
      cached_input_price_per_million: 1.25,
      output_price_per_million: 10,
      supports_images: true,
      // That the list does not name PDFs is no proof that they are refused.
      supports_files: null,
      supports_audio: false,
      supports_videos: false,
    });
  });

  it('finds a dated name as the model it is sold as', async () => {
    const [dated, plain] = await Promise.all(
      ['gpt-4o-2024-08-06', 'gpt-4o'].map((name) => catalogue.find('openai', null, name)),
    );
    expect(dated).toEqual(plain);
    expect(await catalogue.find('openai', null, 'no-such-model')).toEqual(NO_FACTS);
  });

  it('does not offer what the API behind the provider has not', async () => {
    const names = namesOf(await catalogue.list('gemini', null));
    expect(names.some((name) => name.startsWith('gemini-'))).toBe(true);
    expect(names.filter((name) => name.startsWith('claude'))).toEqual([]);
  });

  it('offers OpenAI models to Azure too, at the prices that Azure is known for', async () => {
    const names = namesOf(await catalogue.list('azure_openai', null));
    expect(names).toEqual(expect.arrayContaining(['gpt-4o', 'phi-4']));
  });

  it("names who serves a model behind Hugging Face's router, and tells them apart", async () => {
    const names = namesOf(await catalogue.list('huggingface', null));
    expect(names.every((name) => /^[^:]+:[a-z0-9-]+$/.test(name))).toBe(true);
    const sold = await Promise.all(
      ['groq', 'cerebras'].map((server) => catalogue.find('huggingface', null, `openai/gpt-oss-120b:${server}`)),
    );
    expect(new Set(sold.map((facts) => facts.input_price_per_million)).size).toBe(2);
    // Without a suffix the router chooses, and with it the price.
    expect(await catalogue.find('huggingface', null, 'openai/gpt-oss-120b')).toEqual(NO_FACTS);
  });

  it('chooses the list by the host of the address', async () => {
    const names = namesOf(await catalogue.list('openai_compatible', 'https://API.DeepSeek.com:443/beta'));
    expect(names).toContain('deepseek-chat');
  });

  it('says which data it is', () => {
    for (const name of [PRICES_PACKAGE, MEDIA_PACKAGE]) {
      expect(versionOf(name)).toEqual({ package: name, version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    }
  });
});
