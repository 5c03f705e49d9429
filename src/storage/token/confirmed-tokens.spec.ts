import { describe, expect, it } from '@jest/globals';
import type { Identity } from '../../platform/auth/identity.js';
import { ConfirmedTokens } from './confirmed-tokens.js';

const anIdentity = (tokenId: string): Identity => ({ tokenId, scopes: new Set(['usage:read']) });
const lasting = (tokenId: string): { identity: Identity; expiresAt: null } => ({
  identity: anIdentity(tokenId),
  expiresAt: null,
});

describe('the tokens that were confirmed', () => {
  it('are known until the next change', () => {
    const tokens = new ConfirmedTokens();
    tokens.remember('a', lasting('of-a'), tokens.moment);
    expect(tokens.find('a')).toEqual(anIdentity('of-a'));
    expect(tokens.find('b')).toBeNull();
    tokens.forgetAll();
    expect(tokens.find('a')).toBeNull();
  });

  it('are not those that were asked for before a change and told after it', () => {
    const tokens = new ConfirmedTokens();
    const askedAt = tokens.moment;
    tokens.forgetAll();
    tokens.remember('a', lasting('of-a'), askedAt);
    expect(tokens.find('a')).toBeNull();
  });

  it('end when they expire', () => {
    const tokens = new ConfirmedTokens();
    tokens.remember('a', { identity: anIdentity('of-a'), expiresAt: 1000 }, tokens.moment);
    expect(tokens.find('a', 999)).toEqual(anIdentity('of-a'));
    expect(tokens.find('a', 1000)).toBeNull();
  });

  it('are a thousand at most, the newest', () => {
    const tokens = new ConfirmedTokens();
    for (let number = 0; number < 1500; number += 1) tokens.remember(`t${number}`, lasting('x'), tokens.moment);
    const known = Array.from({ length: 1500 }, (_value, number) => tokens.find(`t${number}`) !== null);
    expect(known.filter(Boolean)).toHaveLength(1000);
    expect(known.slice(500).every(Boolean)).toBe(true);
  });
});
