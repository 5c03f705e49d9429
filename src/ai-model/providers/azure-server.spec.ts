import { describe, expect, it } from '@jest/globals';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AZURE_SERVER } from './azure-server.js';

const RESOURCE = 'https://name.openai.azure.com';
const model = (version: string | null, name = 'gpt-4o'): SnapshotModel =>
  ({ model_name: name, api_version: version }) as SnapshotModel;
const urlOf = (base: string, version: string | null, name?: string): string =>
  AZURE_SERVER.urlOf(base, model(version, name), 'chat/completions').href;

describe("Azure's addresses", () => {
  it.each([
    RESOURCE,
    `${RESOURCE}/`,
    `${RESOURCE}/openai`,
    `${RESOURCE}/openai/`,
    `${RESOURCE}/openai/v1`,
    `${RESOURCE}/openai/v1/`,
    `${RESOURCE}/openai/v1/chat/completions`,
    `${RESOURCE}/openai/deployments`,
    `${RESOURCE}/openai/deployments/other/chat/completions`,
  ])('are the same however much of one was copied: %s', (base) => {
    const deployment = `${RESOURCE}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21`;
    expect(urlOf(base, '2024-10-21')).toBe(deployment);
    expect(urlOf(base, null)).toBe(`${RESOURCE}/openai/v1/chat/completions`);
    expect(AZURE_SERVER.listBaseOf(base)).toBe(`${RESOURCE}/openai/v1`);
  });

  it('keep the path of a gateway', () => {
    expect(urlOf('https://gateway.example.com/openai-team/openai/v1', null)).toBe(
      'https://gateway.example.com/openai-team/openai/v1/chat/completions',
    );
    expect(urlOf('https://gateway.example.com/openai/team-a', '2024-10-21')).toBe(
      'https://gateway.example.com/openai/team-a/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21',
    );
  });

  it('name a preview of the v1 API, which is no date', () => {
    expect(urlOf(RESOURCE, 'preview')).toBe(`${RESOURCE}/openai/v1/chat/completions?api-version=preview`);
    expect(urlOf(RESOURCE, '2024-08-01-preview')).toContain('/deployments/gpt-4o/');
  });

  it('hold the name of a deployment, whatever is in it', () => {
    expect(urlOf(RESOURCE, '2024-10-21', '../a b?c#d')).toBe(
      `${RESOURCE}/openai/deployments/..%2Fa%20b%3Fc%23d/chat/completions?api-version=2024-10-21`,
    );
    const { href } = AZURE_SERVER.urlOf(RESOURCE, model('2024-10-21'), 'embeddings');
    expect(href).toBe(`${RESOURCE}/openai/deployments/gpt-4o/embeddings?api-version=2024-10-21`);
  });
});
