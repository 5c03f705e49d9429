import { describe, expect, it } from '@jest/globals';
import { OutboundPolicy } from './outbound-policy.js';
import { LOOPBACK_ORIGINS, parsePrivateOrigins } from './private-origins.js';
import { hostileUrls } from './ssrf-corpus.spec-data.js';

const nothingListed = new OutboundPolicy([]);
const loopbackListed = new OutboundPolicy(LOOPBACK_ORIGINS);

function reasonOf(policy: OutboundPolicy, text: string): string | null {
  const verdict = policy.checkUrl(text);
  return 'refused' in verdict ? verdict.refused.reason : null;
}

describe('OutboundPolicy.checkUrl', () => {
  const corpus = hostileUrls(8443);

  it('has a corpus of at least 60 forms', () => {
    expect(new Set(corpus.map((form) => form.text)).size).toBeGreaterThanOrEqual(60);
  });

  it.each(corpus)('judges $text: $reason', ({ text, reason }) => {
    expect(reasonOf(nothingListed, text)).toBe(reason);
  });

  it.each([
    'https://api.openai.com/v1',
    'https://1.1.1.1/v1',
    'https://[2606:4700::1111]:8443',
    'https://host.example:1024/a/b',
    'HTTPS://Example.COM',
    'https://exämple.com/v1',
  ])('accepts %s', (text) => {
    expect(reasonOf(nothingListed, text)).toBeNull();
  });

  it('returns the folded URL, without the trailing dot', () => {
    expect(nothingListed.checkUrl('https://API.Example.com.:443/v1')).toEqual({
      url: new URL('https://api.example.com/v1'),
    });
  });

  it.each([
    'http://127.0.0.1:11434/v1',
    'http://localhost:8000',
    'http://localhost.:8000',
    'http://[::1]:9',
    'http://2130706433:80',
  ])('judges %s by the loopback list', (text) => {
    expect(reasonOf(nothingListed, text)).not.toBeNull();
    expect(reasonOf(loopbackListed, text)).toBe(text.endsWith(':9') ? 'port' : null);
  });

  it('opens an odd port only to an entry with exactly this port', () => {
    expect(reasonOf(loopbackListed, 'http://127.0.0.1:2375')).toBe('port');
    expect(
      reasonOf(new OutboundPolicy(parsePrivateOrigins('http://127.0.0.1:2375')), 'http://127.0.0.1:2375'),
    ).toBeNull();
  });

  it('does not stretch a listed origin to another scheme, host or port', () => {
    const policy = new OutboundPolicy(parsePrivateOrigins('https://models.internal:8443,http://10.0.0.5:80'));
    expect(reasonOf(policy, 'https://models.internal:8443/v1')).toBeNull();
    expect(reasonOf(policy, 'https://models.internal/v1')).toBe('private_address');
    expect(reasonOf(policy, 'http://10.0.0.5/v1')).toBeNull();
    expect(reasonOf(policy, 'https://10.0.0.5/v1')).toBe('private_address');
    expect(reasonOf(policy, 'http://10.0.0.6/v1')).toBe('private_address');
  });

  it('refuses metadata names even if listed', () => {
    const policy = new OutboundPolicy(parsePrivateOrigins('http://metadata.google.internal:80'));
    expect(reasonOf(policy, 'http://metadata.google.internal/')).toBe('metadata_address');
  });

  it('never repeats credentials', () => {
    expect(JSON.stringify(nothingListed.checkUrl('https://bob:hunter2@example.com'))).not.toMatch(/bob|hunter2/u);
  });
});

describe('OutboundPolicy.checkMailServer', () => {
  const listed = new OutboundPolicy(parsePrivateOrigins('smtp://127.0.0.1:2525,smtps://mail.internal:*'));

  it.each([
    ['smtp://mail.example.com:587', null],
    ['smtps://mail.example.com:465', null],
    ['smtp://mail.example.com:25', null],
    ['smtp://mail.example.com:2525', null],
    ['smtp://mail.example.com:6379', 'port'],
    ['smtp://mail.example.com:0', 'port'],
    ['smtp://127.0.0.1:25', 'private_address'],
    ['smtp://2130706433:25', 'private_address'],
    ['smtp://[::1]:25', 'private_address'],
    ['smtp://mail:25', 'private_address'],
    ['smtp://169.254.169.254:25', 'metadata_address'],
    ['smtp://metadata.google.internal:25', 'metadata_address'],
    ['smtp://mail.example.com', 'malformed'],
    ['smtp://user@mail.example.com:25', 'malformed'],
    ['https://mail.example.com:443', 'malformed'],
  ])('judges %s: %s', (origin, reason) => {
    expect(nothingListed.checkMailServer(origin)?.reason ?? null).toBe(reason);
  });

  it('opens what is listed, with this scheme and port', () => {
    expect(listed.checkMailServer('smtp://127.0.0.1:2525')).toBeNull();
    expect(listed.checkAddress('smtp://127.0.0.1:2525', '127.0.0.1')).toBeNull();
    expect(listed.checkMailServer('smtps://127.0.0.1:2525')?.reason).toBe('private_address');
    expect(listed.checkMailServer('smtps://mail.internal:465')).toBeNull();
    expect(listed.checkMailServer('smtps://mail.internal:6379')?.reason).toBe('port');
    expect(reasonOf(listed, 'http://127.0.0.1:2525')).toBe('private_address');
  });

  it('gives HTTP no way to a mail server', () => {
    expect(reasonOf(listed, 'smtp://127.0.0.1:2525')).toBe('scheme');
    const url = new URL('smtp://127.0.0.1:2525');
    expect(listed.checkRequest(url, url.origin)?.reason).toBe('scheme');
  });
});

describe('OutboundPolicy.checkAddress', () => {
  it.each([
    ['8.8.8.8', null],
    ['2606:4700::1111', null],
    ['::ffff:8.8.8.8', null],
    ['127.0.0.1', 'private_address'],
    ['::ffff:127.0.0.1', 'private_address'],
    ['::127.0.0.1', 'private_address'],
    ['4000::1', 'private_address'],
    ['fe80::1%eth0', 'metadata_address'],
    ['nonsense', 'malformed'],
  ])('judges %s behind a public name: %s', (address, reason) => {
    expect(nothingListed.checkAddress('https://api.example.com', address)?.reason ?? null).toBe(reason);
  });

  it.each([
    ['10.0.0.5', null],
    ['8.8.8.8', null],
    ['169.254.169.254', 'metadata_address'],
    ['::ffff:169.254.169.254', 'metadata_address'],
    ['64:ff9b::a9fe:a9fe', 'metadata_address'],
    ['2002:a9fe:a9fe::1', 'metadata_address'],
    ['100.100.100.200', 'metadata_address'],
    ['fd00:ec2::254', 'metadata_address'],
  ])('judges %s behind a listed name: %s', (address, reason) => {
    const policy = new OutboundPolicy(parsePrivateOrigins('https://models.corp.example:8443'));
    expect(policy.checkAddress('https://models.corp.example:8443', address)?.reason ?? null).toBe(reason);
  });

  it('keeps its memory bounded', () => {
    for (let number = 0; number < 3000; number += 1) {
      nothingListed.checkAddress(`https://host-${number}.example.com`, '8.8.8.8');
    }
    const { verdicts } = nothingListed as unknown as { verdicts: Map<string, unknown> };
    expect(verdicts.size).toBeLessThanOrEqual(1000);
  });
});
