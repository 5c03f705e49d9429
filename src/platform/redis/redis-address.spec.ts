import { describe, expect, it } from '@jest/globals';
import { Secret } from '../secrets/secret.js';
import { redisAddressOf } from './redis-address.js';

describe('the address of Redis', () => {
  it.each([
    ['redis://cache', { host: 'cache', port: 6379, db: 0 }],
    ['redis://:p%40ss%2F@cache:7000/3', { host: 'cache', port: 7000, db: 3, password: 'p@ss/' }],
    ['rediss://hub:word@[::1]:6380/', { host: '::1', port: 6380, db: 0, username: 'hub', password: 'word', tls: {} }],
  ])('is read: %s', (url, address) => {
    expect(redisAddressOf(Secret.of(url))).toEqual(address);
  });

  it.each([
    ['redis://:hid#den@cache:6379', /percent-encoded/],
    ['redis://:hid@cache:port', /percent-encoded/],
    ['redis://cache/zero', /number of the database/],
    ['redis://:hid%@cache', /%25/],
    ['redis://cache/0?family=6', /number of the database/],
  ])('that cannot be one stops the start, and is not quoted: %s', (url, reason) => {
    expect(() => redisAddressOf(Secret.of(url))).toThrow(reason);
    expect(() => redisAddressOf(Secret.of(url))).not.toThrow(/hid/);
  });
});
