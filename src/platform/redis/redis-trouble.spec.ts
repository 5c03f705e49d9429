import { describe, expect, it } from '@jest/globals';
import { isOfOneKey, RedisSilence, troubleOf } from './redis-trouble.js';

describe('why Redis cannot be used', () => {
  it.each([
    ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS', 'the password of REDIS_URL'],
    ['Ready check failed: NOAUTH Authentication required.', 'NOAUTH', 'the password of REDIS_URL'],
    ["READONLY You can't write against a read only replica.", 'READONLY', 'the primary'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'OOM', 'maxmemory'],
    ['SOMETHING else, of which nothing is repeated', 'other', 'an error (SOMETHING)'],
    ["Stream isn't writeable and enableOfflineQueue options is false", 'closed', 'closed the connection'],
  ])('is told from its answer: %s', (message, kind, words) => {
    const trouble = troubleOf(new Error(message));
    expect(trouble.kind).toBe(kind);
    expect(trouble.reason).toContain(words);
    expect(trouble.reason).not.toContain('repeated');
  });

  it('is told from what the network says, and from its silence', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' });
    expect(troubleOf(refused)).toEqual({ kind: 'ECONNREFUSED', reason: 'it cannot be reached (ECONNREFUSED)' });
    expect(troubleOf(new RedisSilence()).kind).toBe('silent');
    expect(troubleOf('whatever').kind).toBe('other');
  });

  it('is not a value of another type under one key', () => {
    expect(isOfOneKey(new Error('WRONGTYPE Operation against a key holding the wrong kind of value'))).toBe(true);
    expect(isOfOneKey(new Error('READONLY no'))).toBe(false);
  });
});
