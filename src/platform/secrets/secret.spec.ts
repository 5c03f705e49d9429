import { format, inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Secret } from './secret.js';

const VALUE = 'sk-very-secret-0123456789';

describe('Secret', () => {
  it('gives every well-formed text back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(Secret.of(text).reveal()).toBe(text);
      }),
    );
  });

  it('takes over a buffer', () => {
    expect(Secret.adopt(Buffer.from('grüße')).reveal()).toBe('grüße');
  });

  it('refuses a lone surrogate and does not show the text', () => {
    expect(() => Secret.of(`${VALUE}\ud800`)).toThrow(TypeError);
    expect(() => Secret.of(`${VALUE}\ud800`)).toThrow(/^(?!.*very-secret)/);
  });

  it.each<[string, (secret: Secret) => string]>([
    ['String()', (secret) => String(secret)],
    // eslint-disable-next-line typescript/restrict-template-expressions -- the accident under test
    ['a template string', (secret) => `${secret}`],
    ['joining', (secret) => [secret].join(',')],
    ['JSON', (secret) => JSON.stringify({ secret })],
    ['inspect', (secret) => inspect({ secret }, { depth: 9, showHidden: true, getters: true })],
    ['inspect without custom functions', (secret) => inspect(secret, { customInspect: false, showHidden: true })],
    ['format %s %o %O %j', (secret) => format('%s %o %O %j', secret, secret, secret, secret)],
    ['a shallow copy', (secret) => inspect(Object.assign({}, secret))],
    ['a structured clone', (secret) => inspect(structuredClone(secret))],
    ['an error message', (secret) => inspect(new Error(String(secret), { cause: secret }))],
  ])('is not shown by %s', (_name, show) => {
    const shown = show(Secret.of(VALUE));
    expect(shown).not.toContain('very-secret');
    expect(shown).not.toContain(Buffer.from(VALUE).toString('hex').slice(0, 8));
    expect(shown).not.toContain('73 6b 2d'); // how inspect prints the bytes of "sk-"
  });

  it('says [redacted] where a text is asked for', () => {
    const secret = Secret.of(VALUE);
    expect(String(secret)).toBe('[redacted]');
    expect(JSON.stringify({ secret })).toBe('{"secret":"[redacted]"}');
    expect(inspect(secret)).toBe('[redacted]');
  });

  it('compares by value, whatever the lengths', () => {
    expect(Secret.of(VALUE).equals(Secret.of(VALUE))).toBe(true);
    expect(Secret.of(VALUE).equals(Secret.of(`${VALUE}x`))).toBe(false);
    expect(Secret.of(VALUE).equals(Secret.of(''))).toBe(false);
    expect(Secret.of('').equals(Secret.of(''))).toBe(true);
  });
});
