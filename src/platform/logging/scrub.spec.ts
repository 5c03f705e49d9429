import { describe, expect, it } from '@jest/globals';
import { redactKnown, scrub, scrubKnown } from './scrub.js';

const KEY = 'Zq81/+kP"x&0wL%nV7cT3\\mB9yR2';

describe('scrubKnown', () => {
  it.each([
    ['raw', KEY],
    ['in JSON', JSON.stringify(KEY).slice(1, -1)],
    ['in an address', encodeURIComponent(KEY)],
    ['in base64', Buffer.from(KEY).toString('base64').replace(/=+$/, '')],
    ['in base64url', Buffer.from(KEY).toString('base64url')],
    ['in hex', Buffer.from(KEY).toString('hex')],
    ['in upper-case hex', Buffer.from(KEY).toString('hex').toUpperCase()],
  ])('replaces a known secret %s', (_form, text) => {
    expect(scrubKnown(`Key ${text} refused, ${text}`, ['another secret', KEY])).toBe(
      'Key [redacted] refused, [redacted]',
    );
  });

  it.each(['Bearer ', 'x:', 'key='])('leaves nothing readable of a header in base64 that begins with %j', (before) => {
    const scrubbed = scrubKnown(`<${Buffer.from(before + KEY).toString('base64')}>`, [KEY]);
    const left = scrubbed.split('[redacted]').map((piece) => Buffer.from(piece, 'base64').toString('latin1'));
    expect(left).toHaveLength(2);
    expect(left.join('')).not.toContain(KEY.slice(0, 2));
    expect(left.join('')).not.toContain(KEY.slice(-2));
  });

  it('replaces the pieces that a masked secret shows, down to eight characters', () => {
    expect(scrubKnown(`${KEY.slice(0, 8)}****${KEY.slice(-8)}`, [KEY])).toBe('[redacted]****[redacted]');
    expect(scrubKnown(`****${KEY.slice(-7)}`, [KEY])).toBe(`****${KEY.slice(-7)}`);
  });

  it('leaves words alone that a header shares with every message', () => {
    const text = 'See https://example.com/keys of ai-model-hub.';
    expect(scrubKnown(text, ['https://example.org/ai-model-hub/A1b2C3d4'])).toBe(text);
  });
});

describe('redactKnown', () => {
  it('replaces the known secrets, and leaves names alone that only begin like one', () => {
    expect(redactKnown(`pplx-70b-online\n${KEY}`, [KEY])).toBe('pplx-70b-online\n[redacted]');
  });
});

describe('scrub', () => {
  it.each([
    ['sk-proj-abcdefgh12345678', '[redacted]'],
    ['AIzaSyA-1234567890abcdefghijk', '[redacted]'],
    ['hf_abcdefghijkl', '[redacted]'],
    ['hub_api_abcdefgh_0123456789', '[redacted]'],
    ['authorization: Bearer abcdefgh.ijkl', 'authorization: Bearer [redacted]'],
    ['postgresql://user:pa:ss@host/db', 'postgresql://user:[redacted]@host/db'],
    ['nothing to hide', 'nothing to hide'],
  ])('%s → %s', (text, scrubbed) => {
    expect(scrub(text)).toBe(scrubbed);
  });
});
