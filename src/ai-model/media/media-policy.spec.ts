import { describe, expect, it } from '@jest/globals';
import { networkInterfaces } from 'node:os';
import { LOOPBACK_ORIGINS, parsePrivateOrigins } from '../../platform/http/outbound/private-origins.js';
import { hostileUrls } from '../../platform/http/outbound/ssrf-corpus.spec-data.js';
import { MediaPolicy } from './media-policy.js';

const strict = new MediaPolicy([], () => 'http://127.0.0.1:8000');
const reasonOf = (policy: MediaPolicy, text: string): string | null => {
  const verdict = policy.checkMedia(text);
  return 'refused' in verdict ? verdict.refused.reason : null;
};

describe('the address of an attachment', () => {
  const corpus = hostileUrls(8443).filter(({ reason }) => reason !== null);

  it.each(corpus)('$text is judged as that of a provider is', ({ text, reason }) => {
    const isOfPublicHost = /^https:\/\/api\.example\.com\/(?:v1\?$|a{3000}$)/.test(text);
    const found = reasonOf(strict, text);
    if (isOfPublicHost) expect(found).toBeNull();
    else expect(found).toBe(reason === 'query' ? 'private_address' : reason);
  });

  it('may be signed, and long', () => {
    expect(reasonOf(strict, `https://bucket.example.com/a.png?X-Amz-Signature=${'a'.repeat(4000)}`)).toBeNull();
    expect(reasonOf(strict, `https://bucket.example.com/${'a'.repeat(9000)}`)).toBe('malformed');
  });
});

describe('the hub itself', () => {
  const allowed = [
    ...LOOPBACK_ORIGINS,
    ...parsePrivateOrigins('http://hub.corp.example:*,http://[::ffff:127.0.0.1]:*,http://0.0.0.0:*'),
  ];
  const policy = new MediaPolicy(allowed, () => 'http://127.0.0.1:8000');

  it.each(['127.0.0.1', 'localhost', '127.1', '[::1]', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0'])(
    'is not fetched as %s',
    (host) => {
      expect(reasonOf(policy, `http://${host}:8000/health`)).toBe('private_address');
      expect(reasonOf(policy, `http://${host}:8001/health`)).toBeNull();
    },
  );

  it('is not fetched under a name that stands for this machine', () => {
    const own = Object.values(networkInterfaces()).flatMap(
      (addresses) => addresses?.map(({ address }) => address) ?? [],
    );
    for (const address of [
      '127.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '127.8.8.8',
      ...own.filter((known) => !known.startsWith('fe80')),
    ]) {
      expect([address, policy.checkAddress('http://hub.corp.example:8000', address)?.reason]).toEqual([
        address,
        'private_address',
      ]);
      expect([address, policy.checkAddress('http://hub.corp.example:8001', address)]).toEqual([address, null]);
    }
  });

  it('is not known before it listens', () => {
    expect(reasonOf(new MediaPolicy(allowed, () => null), 'http://127.0.0.1:8000/health')).toBeNull();
  });
});
