import { describe, expect, it } from '@jest/globals';
import { factsFrom, NO_FACTS } from '../known-models/model-facts.js';
import { readListedFacts, readOllamaFacts } from './listed-facts.js';
import { LISTED, SHOWN } from './listed-facts.spec-data.js';

describe('what a list of models tells beyond names', () => {
  it.each(['openai', 'ollama', 'lmStudio'] as const)('%s: nothing', (server) => {
    expect(readListedFacts(LISTED[server], LISTED[server].id)).toEqual(NO_FACTS);
  });

  it('vLLM: the length it was started with', () => {
    expect(readListedFacts(LISTED.vllm, LISTED.vllm.id)).toEqual(factsFrom({ context_window: 40_960 }));
  });

  it('llama.cpp: the context it gives, and what it takes', () => {
    expect(readListedFacts(LISTED.llamaCpp, 'gemma')).toEqual(
      factsFrom({
        context_window: 8192,
        supports_images: true,
        supports_files: false,
        supports_audio: false,
        supports_videos: false,
      }),
    );
  });

  it('llama.cpp: the context of the training while the model is not loaded', () => {
    expect(readListedFacts(LISTED.llamaCppUnloaded, 'qwen').context_window).toBe(262_144);
  });

  it('OpenRouter: everything, prices per token', () => {
    expect(readListedFacts(LISTED.openRouter, LISTED.openRouter.id)).toEqual({
      display_name: 'Anthropic: Claude Sonnet 4.5',
      context_window: 1_000_000,
      max_tokens: 64_000,
      input_price_per_million: 3,
      cached_input_price_per_million: 0.3,
      output_price_per_million: 15,
      supports_images: true,
      supports_files: true,
      supports_audio: false,
      supports_videos: false,
    });
  });

  it('OpenRouter: no price where it depends', () => {
    const facts = readListedFacts(LISTED.openRouterAuto, LISTED.openRouterAuto.id);
    expect(facts).toMatchObject({
      input_price_per_million: null,
      output_price_per_million: null,
      max_tokens: null,
      supports_videos: true,
    });
  });

  it('OpenRouter: free is a price', () => {
    const free = { ...LISTED.openRouter, pricing: { prompt: '0', completion: '0' } };
    expect(readListedFacts(free, free.id)).toMatchObject({
      input_price_per_million: 0,
      cached_input_price_per_million: null,
      output_price_per_million: 0,
    });
  });

  it('Groq: context and output', () => {
    expect(readListedFacts(LISTED.groq, LISTED.groq.id)).toEqual(
      factsFrom({ context_window: 131_072, max_tokens: 32_768 }),
    );
  });

  it('Mistral: context, vision, and its name', () => {
    expect(readListedFacts(LISTED.mistral, LISTED.mistral.id)).toEqual(
      factsFrom({ display_name: 'mistral-small-2506', context_window: 131_072, supports_images: true }),
    );
  });

  it('Together: prices per million', () => {
    expect(readListedFacts(LISTED.together, LISTED.together.id)).toEqual(
      factsFrom({
        display_name: 'Meta Llama 3.3 70B Instruct Turbo',
        context_window: 131_072,
        input_price_per_million: 0.88,
        output_price_per_million: 0.88,
      }),
    );
  });

  it('Together: what is rented by the hour is not free', () => {
    expect(readListedFacts(LISTED.togetherByTheHour, 'some/dedicated')).toEqual(NO_FACTS);
  });

  it('Hugging Face: what the one who serves it gives', () => {
    const read = (name: string): unknown => readListedFacts(LISTED.huggingFace, name);
    expect(read('openai/gpt-oss-120b:groq')).toMatchObject({ context_window: 131_072, input_price_per_million: 0.15 });
    expect(read('openai/gpt-oss-120b:cerebras')).toMatchObject({
      context_window: 65_536,
      output_price_per_million: 0.69,
    });
    const unknown = { context_window: null, input_price_per_million: null, supports_images: false };
    expect(read('openai/gpt-oss-120b:unpriced')).toMatchObject(unknown);
    expect(read('openai/gpt-oss-120b:nobody')).toMatchObject(unknown);
    expect(read('openai/gpt-oss-120b')).toMatchObject(unknown);
  });

  it('LM Studio, on its own path: the context that is loaded, and whether it sees', () => {
    expect(readListedFacts(LISTED.lmStudioNative, LISTED.lmStudioNative.id)).toEqual(
      factsFrom({ context_window: 4096, supports_images: true }),
    );
    const unloaded = { ...LISTED.lmStudioNative, type: 'llm', loaded_context_length: undefined };
    expect(readListedFacts(unloaded, unloaded.id)).toEqual(
      factsFrom({ context_window: 32_768, supports_images: false }),
    );
  });

  it.each([
    { id: 'x', max_model_len: '4096', context_length: -1, meta: 'none', pricing: [], architecture: null },
    { id: 'x', max_model_len: 1e12, pricing: { prompt: 'NaN', completion: {} }, capabilities: ['vision'] },
    { id: 'x', architecture: { input_modalities: 'image' }, providers: [null, 7], display_name: 'a\nb', type: 'vl' },
    { id: 'x', name: 'x', top_provider: { max_completion_tokens: 1.5 }, pricing: { input: -1, output: 1e9 } },
  ])('nothing is read out of nonsense: %j', (entry) => {
    expect(readListedFacts(entry, 'x')).toEqual(NO_FACTS);
  });
});

describe('what Ollama shows of a model', () => {
  it('the context of the model, and whether it sees', () => {
    expect(readOllamaFacts(SHOWN)).toEqual(factsFrom({ context_window: 131_072, supports_images: true }));
  });

  it('the context that is set, where one is', () => {
    const shown = { ...SHOWN, parameters: `num_ctx                        8192\n${SHOWN.parameters}` };
    expect(readOllamaFacts(shown).context_window).toBe(8192);
  });

  it('nothing about images in older versions, which do not tell', () => {
    expect(readOllamaFacts({ ...SHOWN, capabilities: undefined }).supports_images).toBeNull();
    expect(readOllamaFacts({ ...SHOWN, capabilities: ['completion'] }).supports_images).toBe(false);
  });

  it.each([
    {},
    { model_info: { 'general.architecture': 7 } },
    { parameters: 7, model_info: [] },
    { capabilities: 'vision' },
  ])('nothing out of nonsense: %j', (shown) => {
    expect(readOllamaFacts(shown)).toEqual(NO_FACTS);
  });
});
