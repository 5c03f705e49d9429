import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aChat, call, saveModel, usageAfter, type Json } from './support/calls.js';
import { politeAnthropic } from './support/fake-anthropic.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';

describe('a model of Anthropic', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    hub = await startHub();
  });
  beforeEach(async () => {
    provider = await startFakeProvider(politeAnthropic);
  });
  afterEach(() => provider.close());
  afterAll(() => hub.close());

  const model = (fields: Json = {}): Promise<Json> =>
    saveModel(hub, { provider: 'claude', model_name: 'claude-sonnet-4-5', api_base: provider.url, ...fields });

  it('answers whole', async () => {
    const { id, alias } = await model();
    const answer = await call(hub, aChat(alias));
    expect(answer.json).toMatchObject({ object: 'chat.completion' });
    expect(provider.calls[0]).toMatchObject({ path: '/v1/messages' });
    expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'ok', input: 11, output: 7 }]);
  });
  it('answers streamed', async () => {
    const { id, alias } = await model();
    const answer = await call(hub, aChat(alias, { stream: true, stream_options: { include_usage: true } }));
    expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'ok', input: 11, output: 7 }]);
  });
});
