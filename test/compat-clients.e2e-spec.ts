import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LLMock } from '@copilotkit/aimock';
import { saveModel } from './support/calls.js';
import { startHub, type TestHub } from './support/hub.js';

interface Target {
  url: string;
  token: string;
  alias: string;
  embeddingAlias: string;
}

interface Client {
  name: string;
  features: Record<string, unknown>;
}

interface Row {
  client: string;
  feature: string;
  outcome: 'pass' | 'fail' | 'none';
  reason: string | null;
}

interface Compatibility {
  CLIENTS: Client[];
  FEATURES: string[];
  runFeature: (client: Client, feature: string, target: Target) => Promise<Row>;
  teach: (mock: LLMock) => void;
}

// Not a literal: what the command runs is plain JavaScript, without types.
const SCRIPT = fileURLToPath(new URL('../scripts/compat/run-clients.js', import.meta.url));
const { CLIENTS, FEATURES, runFeature, teach } = (await import(SCRIPT)) as Compatibility;

/** The clients of `npm run compat`, unchanged, each with all it can, against one model. */
describe('clients that others made', () => {
  let hub: TestHub;
  let mock: LLMock;
  let target: Target;
  beforeAll(async () => {
    hub = await startHub();
    mock = new LLMock({ port: 0 });
    teach(mock);
    await mock.start();
    const provider = { provider: 'openai', api_base: `${mock.url}/v1` };
    const chat = await saveModel(hub, { ...provider, model_name: 'gpt-4o-mini', supports_images: true });
    const vectors = await saveModel(hub, { ...provider, model_name: 'text-embedding-3-small' });
    target = {
      url: hub.url,
      token: await hub.createToken('invoke'),
      alias: String(chat['alias']),
      embeddingAlias: String(vectors['alias']),
    };
  });
  afterAll(async () => {
    await hub.close();
    await mock.stop();
  });

  describe.each(CLIENTS.map((client) => [client.name, client] as const))('%s', (_name, client) => {
    it.each(FEATURES.filter((feature) => feature in client.features))('has %s', async (feature) => {
      const { outcome, reason } = await runFeature(client, feature, target);
      expect({ outcome, reason }).toEqual({ outcome: 'pass', reason: null });
    });
  });

  it('fails where the answer is wrong, with a reason', async () => {
    const [client] = CLIENTS;
    if (!client) throw new Error('There are no clients');
    const row = await runFeature(client, 'chat', { ...target, alias: 'no-such-model' });
    expect(row).toMatchObject({ outcome: 'fail', reason: expect.stringContaining('no-such-model') });
    expect(await runFeature(client, 'telepathy', target)).toMatchObject({ outcome: 'none' });
  });
});
