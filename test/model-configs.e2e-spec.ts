import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aModelConfig } from './factories/model-config.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

type Body = Record<string, unknown>;

describe('model configurations over REST', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(() => hub.close());

  const create = async (fields: Body = {}): Promise<Body> =>
    (await hub.request('post', CONFIGS).send(aModelConfig(fields)).expect(201)).body as Body;

  it('saves a config, shows every field but the secrets, and finds it by id and by alias', async () => {
    const sent = aModelConfig({ alias: 'team/fast:1', api_key: 'sk-abcdefgh12345678', auth_headers: { 'X-Org': 'secret-org' } });
    const answer = await hub.request('post', CONFIGS).send(sent).expect(201);
    const config = answer.body as Body;
    expect(answer.headers['location']).toBe(`${CONFIGS}/${String(config['id'])}`);
    expect(answer.headers['etag']).toBe('"1"');
    expect(config).toMatchObject({
      alias: 'team/fast:1',
      has_api_key: true,
      api_key_hint: '5678',
      auth_header_names: ['X-Org'],
      max_tokens: 4096,
      max_retries: 3,
      is_streaming_supported: true,
      display_name: null,
      fallback_aliases: [],
      tags: {},
      status: 'configured',
      version: 1,
      multimodal_capabilities: { supports_files: false, supported_file_types: null },
    });
    expect(config).not.toHaveProperty('api_key');
    expect(config).not.toHaveProperty('auth_headers');
    const byId = await hub.request('get', `${CONFIGS}/${String(config['id'])}`).expect(200);
    const byAlias = await hub.request('get', `${CONFIGS}/by-alias/team/fast:1`).expect(200);
    const byEncodedAlias = await hub.request('get', `${CONFIGS}/by-alias/${encodeURIComponent('team/fast:1')}`).expect(200);
    expect(byId.body).toEqual(config);
    expect(byAlias.body).toEqual(config);
    expect(byEncodedAlias.body).toEqual(config);
  });
});
