import { describe, expect, it } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { NewModelConfig, withPreset } from '../../contract/model-config.contract.js';
import { PRESETS } from '../../contract/presets.js';
import { PROVIDERS_THAT_NEED_API_BASE } from '../../contract/providers.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { OutboundPolicy } from '../../platform/http/outbound/outbound-policy.js';
import { LOOPBACK_ORIGINS } from '../../platform/http/outbound/private-origins.js';
import { quirksOf } from './quirks-of.js';
import { PROVIDER_REGISTRY } from './registry.js';

const quirks = (fields: Partial<SnapshotModel>): ReturnType<typeof quirksOf> =>
  quirksOf({
    provider: 'openai_compatible',
    model_name: 'm',
    api_base: null,
    api_version: null,
    ...fields,
  } as SnapshotModel);

const NONE = quirks({});

describe('the quirks of a model', () => {
  it('are none where nothing is known', () => {
    expect(NONE).toEqual({
      renamed: new Map(),
      dropped: [],
      droppedFromMessages: [],
      developerIsSystem: false,
      noStreamOptions: false,
      keepsExtensions: false,
      failsInBaseResp: false,
      errors: {},
    });
    for (const address of ['https://models.example.com/v1', 'https://api.groq.com.example.com/v1', 'no address']) {
      expect(quirks({ api_base: address })).toEqual(NONE);
    }
  });

  it('go with the host of the address, in any spelling and with any path', () => {
    for (const address of [
      'https://api.mistral.ai/v1',
      'https://API.Mistral.ai:443/beta',
      'https://codestral.mistral.ai/v1',
    ]) {
      expect(quirks({ api_base: address }).renamed).toEqual(
        new Map([
          ['max_completion_tokens', 'max_tokens'],
          ['seed', 'random_seed'],
        ]),
      );
    }
    expect(quirks({ api_base: 'https://openrouter.ai/api/v1' }).keepsExtensions).toBe(true);
  });

  it('go with a provider of its own behind any address', () => {
    expect(quirks({ provider: 'mistral', api_base: 'https://proxy.example.com/v1' }).noStreamOptions).toBe(true);
    expect(quirks({ provider: 'mistral' }).noStreamOptions).toBe(true);
    expect(quirks({ provider: 'openai', api_base: 'https://api.mistral.ai/v1' }).noStreamOptions).toBe(false);
  });

  it.each(['o1', 'o3-mini', 'o4-mini-2025-04-16', 'gpt-5', 'gpt-5.1', 'gpt-5-nano', 'ft:o4-mini:org::id'])(
    "of OpenAI's reasoning model %s: the newer name of the limit",
    (name) => {
      for (const provider of ['openai', 'azure_openai'] as const) {
        expect(quirks({ provider, model_name: name }).renamed).toEqual(
          new Map([['max_tokens', 'max_completion_tokens']]),
        );
      }
    },
  );

  it.each(['gpt-4o', 'gpt-4.1', 'omni-moderation', 'chatgpt-4o-latest', 'my-o3'])('of %s are none', (name) => {
    expect(quirks({ provider: 'openai', model_name: name })).toEqual(NONE);
  });

  it("of Azure's older versions: no stream_options", () => {
    const at = (version: string | null): boolean =>
      quirks({ provider: 'azure_openai', api_version: version }).noStreamOptions;
    expect(['2023-05-15', '2024-02-01', '2024-08-01-preview'].map(at)).toEqual([true, true, true]);
    expect(['2024-09-01-preview', '2024-10-21', '2025-04-01-preview', 'preview', null].map(at)).toEqual(
      Array(5).fill(false),
    );
  });

  it('of Grok: only the reasoning models refuse stop', () => {
    const drops = (name: string): boolean => quirks({ provider: 'xai', model_name: name }).dropped.includes('stop');
    expect(['grok-4', 'grok-3-mini', 'grok-4-1-fast-reasoning', 'grok-code-fast-1'].map(drops)).toEqual(
      Array(4).fill(true),
    );
    expect(['grok-3', 'grok-2', 'grok-4-1-fast-non-reasoning'].map(drops)).toEqual([false, false, false]);
  });
});

describe('the presets', () => {
  const ids = PRESETS.map(({ id }) => id);
  const policy = new OutboundPolicy(LOOPBACK_ORIGINS);

  it('are those that people use, each once', () => {
    expect(ids).toEqual([...new Set(ids)]);
    expect(ids).toHaveLength(23);
  });

  it.each(PRESETS)('$id gives a config that storage takes', (preset) => {
    const body = plainToInstance(NewModelConfig, { alias: 'a', model_name: 'm', preset: preset.id });
    expect(validateSync(body, { whitelist: true, forbidNonWhitelisted: true })).toEqual([]);
    const config = withPreset(body);
    expect(config).toMatchObject({ provider: preset.provider, api_base: preset.api_base, is_local: preset.is_local });
    expect(config).not.toHaveProperty('preset');
    for (const address of [preset.api_base, ...preset.other_api_bases]) {
      expect(policy.checkUrl(address)).not.toHaveProperty('refused');
      expect(address).not.toMatch(/\/$/);
    }
    const { defaultApiBase } = PROVIDER_REGISTRY[preset.provider];
    if (!preset.is_local && !PROVIDERS_THAT_NEED_API_BASE.includes(preset.provider)) {
      expect(defaultApiBase).toBe(preset.api_base);
    }
    expect(preset.key_url === null).toBe(!preset.requires_api_key);
    for (const name of Object.values(preset.names)) expect(name.length).toBeGreaterThan(0);
  });

  it('leave what the caller sent as it is', () => {
    const body = { alias: 'a', model_name: 'm', preset: 'ollama', is_local: false, api_base: null } as const;
    expect(withPreset({ ...body, provider: 'openai' })).toEqual({
      alias: 'a',
      model_name: 'm',
      provider: 'openai',
      api_base: null,
      is_local: false,
    });
  });
});
