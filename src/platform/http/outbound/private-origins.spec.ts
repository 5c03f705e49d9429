import { describe, expect, it } from '@jest/globals';
import { findListing, LOOPBACK_ORIGINS, parsePrivateOrigins, PrivateOriginError } from './private-origins.js';

describe('parsePrivateOrigins', () => {
  it('reads schemes, hosts, ports and any port', () => {
    expect(parsePrivateOrigins('http://127.0.0.1:*, HTTPS://Models.Corp.example:8443,http://[::1]:11434')).toEqual([
      { scheme: 'http', host: '127.0.0.1', port: null },
      { scheme: 'https', host: 'models.corp.example', port: 8443 },
      { scheme: 'http', host: '[::1]', port: 11434 },
    ]);
  });

  it('reads mail servers', () => {
    expect(parsePrivateOrigins('smtp://Mail.corp.example:25,SMTPS://2130706433:465')).toEqual([
      { scheme: 'smtp', host: 'mail.corp.example', port: 25 },
      { scheme: 'smtps', host: '127.0.0.1', port: 465 },
    ]);
  });

  it.each(['', '  '])('allows nothing for blank text', (text) => {
    expect(parsePrivateOrigins(text)).toEqual([]);
  });

  it('folds odd spellings as a URL does', () => {
    expect(parsePrivateOrigins('http://2130706433:80,http://[0:0::1]:80,http://localhost.:80')).toEqual([
      { scheme: 'http', host: '127.0.0.1', port: 80 },
      { scheme: 'http', host: '[::1]', port: 80 },
      { scheme: 'http', host: 'localhost', port: 80 },
    ]);
  });

  it.each([
    ['http://a:1,,http://b:1', 'Entry 2 is empty'],
    ['http://a:1,', 'Entry 2 is empty'],
    ['smtp://a', 'Entry 1 needs a host and a port'],
    ['127.0.0.1:80', 'Entry 1 must begin with http:// or https://'],
    ['ftp://a:1', 'Entry 1 must begin with http:// or https://'],
    ['http://a:1,http://127.0.0.1', 'Entry 2 needs a host and a port'],
    ['http://::1:80', 'Entry 1 needs a host and a port'],
    ['http://:80', 'Entry 1 needs a host and a port'],
    ['http://a:80/v1', 'Entry 1 must end after the port'],
    ['http://user:secret@a:80', 'Entry 1 must end after the port'],
    ['http://*:80', 'Entry 1 has a * in the host'],
    ['http://a:0', 'Entry 1 needs a port from 1 to 65535'],
    ['http://a:70000', 'Entry 1 needs a port from 1 to 65535'],
    ['http://[::zz]:80', 'Entry 1 has no valid host'],
    ['http://169.254.169.254:80', 'Entry 1 is a link-local or cloud metadata address'],
    ['http://[::ffff:a9fe:a9fe]:*', 'Entry 1 is a link-local or cloud metadata address'],
    ['http://[64:ff9b::a9fe:a9fe]:80', 'Entry 1 is a link-local or cloud metadata address'],
  ])('explains what is wrong with %s, without repeating it', (text, message) => {
    const parse = () => parsePrivateOrigins(text);
    expect(parse).toThrow(PrivateOriginError);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow('secret');
  });
});

describe('findListing', () => {
  it('matches scheme and host, and tells an exact port from any port', () => {
    const origins = [...LOOPBACK_ORIGINS, ...parsePrivateOrigins('http://127.0.0.1:6379')];
    expect(findListing(origins, 'http', '127.0.0.1', 6379)).toBe('exact_port');
    expect(findListing(origins, 'https', '[::1]', 6379)).toBe('any_port');
    expect(findListing(origins, 'http', '127.0.0.2', 6379)).toBeNull();
    expect(findListing(parsePrivateOrigins('https://a:1'), 'http', 'a', 1)).toBeNull();
  });
});
