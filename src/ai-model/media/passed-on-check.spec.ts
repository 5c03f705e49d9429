import { describe, expect, it } from '@jest/globals';
import { aSnapshotModel } from '../../../test/factories/snapshot-model.js';
import type { ResolveHost } from '../../platform/http/outbound/guarded-connector.js';
import { parsePrivateOrigins } from '../../platform/http/outbound/private-origins.js';
import { Attachment } from './attachment.js';
import { MediaPolicy } from './media-policy.js';
import { PassedOnCheck } from './passed-on-check.js';

const inside = 'http://vllm.internal:8000/v1';
const policy = new MediaPolicy(parsePrivateOrigins('http://vllm.internal:8000'), () => null);
const text = 'https://images.example.com/a.png';
const attachment = new Attachment({}, 'image_url', 'f', { url: new URL(text), text }, 'image/png');

const codeOf = async (server: string | null, resolve: ResolveHost): Promise<unknown> =>
  new PassedOnCheck(policy, resolve).check([attachment], aSnapshotModel({ api_base: server })).then(
    () => null,
    (error: { code?: string }) => error.code,
  );
const resolvesTo =
  (...addresses: string[]): ResolveHost =>
  () =>
    Promise.resolve(addresses.map((address) => ({ address, family: 4 })));

describe('an address that is passed on to a server of this network', () => {
  it.each([
    [['93.184.216.34'], null],
    [['10.0.0.1'], 'media_not_allowed'],
    [['93.184.216.34', '127.0.0.1'], 'media_not_allowed'],
    [['169.254.169.254'], 'media_not_allowed'],
  ])('that stands for %j: %s', async (addresses, code) =>
    expect(await codeOf(inside, resolvesTo(...addresses))).toBe(code),
  );

  it('that nobody here knows is passed on', async () => {
    expect(await codeOf(inside, () => Promise.reject(new Error('ENOTFOUND')))).toBeNull();
  });

  it('is not looked up for a provider elsewhere', async () => {
    const never: ResolveHost = () => {
      throw new Error('looked up');
    };
    expect([await codeOf('https://api.example.com/v1', never), await codeOf(null, never)]).toEqual([null, null]);
  });
});
