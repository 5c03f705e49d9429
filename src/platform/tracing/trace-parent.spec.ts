import { describe, expect, it } from '@jest/globals';
import { formatTraceParent, parseTraceParent } from './trace-parent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('parseTraceParent', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [` 00-${TRACE}-${SPAN}-01 `, true],
    // Flags that nobody knows yet say nothing of the first.
    [`00-${TRACE}-${SPAN}-ff`, true],
    [`00-${TRACE}-${SPAN}-02`, false],
    // A later version is read as far as it is known.
    [`01-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, true],
  ])('reads %j', (header, isSampled) => {
    expect(parseTraceParent(header)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  it.each([
    undefined,
    ['00', '01'],
    '',
    'nonsense',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    `01${TRACE}-${SPAN}-01`,
    `01-${TRACE}-${SPAN}-01.more`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(10_000)}`,
  ])('does not take %j for one', (header) => {
    expect(parseTraceParent(header)).toBeNull();
  });

  it('reads what is written', () => {
    for (const isSampled of [true, false]) {
      const parent = { traceId: TRACE, spanId: SPAN, isSampled };
      expect(parseTraceParent(formatTraceParent(parent))).toEqual(parent);
    }
  });
});
